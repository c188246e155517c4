"""DFSQ's forward pass as its authors have it, in float64: the specification, section 3.2.

Only the body's convolutions are quantized, everything else is real. Means, reaches and nearest
points come from the values at hand, without codes, thresholds or reciprocals.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quant.lowering.execution import constants_of, result_of
from quant.lowering.float_operators import FloatConvolution
from quant.methods.quantized_network import QuantizedNetwork

ADDEND = 1e-8


def quantized_input(x: Tensor, points: Tensor, *, is_rectified: bool) -> Tensor:
    """One image's feature map, 1 x channels x height x width, and the points of each channel."""
    mean = 0.0 if is_rectified else x.mean(dim=(2, 3), keepdim=True)
    reach = (x - mean).abs().amax(dim=(2, 3), keepdim=True) + ADDEND
    normalized = (x - mean) / reach
    distances = (normalized[..., None] - points[None, :, None, None, :]).abs()
    channels = torch.arange(x.shape[1])[None, :, None, None]
    return points[channels, distances.argmin(dim=-1)] * reach + mean


def published_picture(quantized: QuantizedNetwork, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture that the authors' arithmetic makes of a quantized network's sets and weights."""
    encodings = quantized.encodings
    values: dict[str, Tensor] = {}
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].double()
    with torch.no_grad():
        for node in quantized.network.nodes:
            operator: Any = node.operator
            operands = [values[source] for source in node.inputs] or [pixels]
            encoding = encodings.points.get(node.name)
            if encoding is not None:
                assert isinstance(operator, FloatConvolution)
                points = torch.from_numpy(encoding.points).double() / 1024
                operands = [
                    quantized_input(operands[0], points, is_rectified=not encoding.is_centred)
                ]
                weights = encodings.weights[node.name]
                weight = weights.weight * weights.scale[:, None, None, None]
                operator = FloatConvolution(weight, operator.bias, operator.padding, operator.clamp)
            values[node.name] = result_of(operator, operands, constants_of(operator, torch.float64))
    picture = values[quantized.network.output][0].permute(1, 2, 0)
    white = quantized.network.pixel_range
    return (picture.clamp(0, white) * (255 / white)).round().to(torch.uint8).numpy()
