"""PyTorch's quantized engines as oracles: convolutions of unsigned 8-bit codes, without bias.

torch adds biases in floating point and rounds them to its own grid, so none is given.
"""

import warnings

import numpy as np
import torch
from numpy.typing import NDArray

from hwsim.verify.oracles.cases import QuantizedConvolution


def convolution(case: QuantizedConvolution, engine: str) -> NDArray[np.int32]:
    """Output codes of a quantized convolution, int32 [height, width, out_channels].

    Args:
        case: of unsigned 8-bit feature maps, no bias.
        engine: one of ``torch.backends.quantized.supported_engines``.
    """
    # torch announces that it will remove its quantized tensors.
    warnings.filterwarnings("ignore", message="torch.quantize_per_tensor", category=UserWarning)
    image = torch._make_per_tensor_quantized_tensor(
        torch.from_numpy(case.codes.transpose(2, 0, 1)[None].astype(np.uint8)),
        case.input_scale,
        case.input_zero,
    )
    weight = torch._make_per_channel_quantized_tensor(
        torch.from_numpy(case.weight.transpose(0, 3, 1, 2).astype(np.int8)),
        torch.from_numpy(case.weight_scales.astype(np.float64)),
        torch.zeros(len(case.weight), dtype=torch.int64),
        0,
    )
    operators = torch.ops.quantized
    previous = torch.backends.quantized.engine
    torch.backends.quantized.engine = engine
    try:
        packed = operators.conv2d_prepack(weight, None, [1, 1], [*case.padding], [1, 1], 1)
        convolve = operators.conv2d_relu if case.relu else operators.conv2d
        codes = convolve(image, packed, case.output_scale, case.output_zero)
    finally:
        torch.backends.quantized.engine = previous
    found: NDArray[np.int32] = codes.int_repr()[0].permute(1, 2, 0).numpy().astype(np.int32)
    return found
