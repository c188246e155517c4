"""Transposed convolution, fast: a plain convolution for each phase of the stride.

Outputs whose places agree modulo the stride meet pixels by the same taps, so they are a convolution
of stride 1 over the image with those taps alone (`quant.common.transposed`). All other taps read
pad codes there, a constant that joins the bias.
"""

import numpy as np

from hwsim.arithmetic._feature_maps import check_map
from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic.convolution import convolve, pack_convolution
from quant.common.requantization import Requantization
from quant.common.transposed import Phase, phases

Sides = tuple[int, int, int, int]


def transposed_convolve(
    ifm: Codes,
    weight: Codes,
    bias: Wide,
    stride: tuple[int, int],
    padding: Sides,
    pad_code: Wide,
    requantization: Requantization,
    code_limits: tuple[int, int],
) -> Codes:
    """Convolve a spread image (``docs/operators/transposed_convolution.md``).

    Args:
        ifm: int32 [H, W, I].
        weight: int32 [O, KH, KW, I].
        bias: int64 [O].
        stride: places from one pixel of the spread image to the next, down and across.
        padding: pad codes above, below, left and right of the spread image.
        pad_code: int64 [I], the code of every tap that meets no pixel.
        requantization: sum to code, with parameters of O channels or of one for all.
        code_limits: least and greatest input code, pad codes included.

    Returns:
        int32 [(H - 1)·stride[0] + 1 + top + bottom - KH + 1, likewise, O].

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or the spread image is smaller than the kernel.
    """
    check_map(ifm, "transposed convolution")
    top, bottom, left, right = padding
    height = (ifm.shape[0] - 1) * stride[0] + 1 + top + bottom - weight.shape[1] + 1
    width = (ifm.shape[1] - 1) * stride[1] + 1 + left + right - weight.shape[2] + 1
    if min(height, width) < 1:
        raise ValueError(
            f"transposed convolution: an image of {list(ifm.shape)} leaves no place for a kernel "
            f"of {list(weight.shape)}; pad the image"
        )
    out = np.empty((height, width, len(weight)), np.int32)
    constant = np.tensordot(weight.astype(np.int64), pad_code, axes=(3, 0))
    for dy, down in enumerate(phases(weight.shape[1], stride[0], top)):
        for dx, across in enumerate(phases(weight.shape[2], stride[1], left)):
            places = out[dy :: stride[0], dx :: stride[1]]
            if places.size == 0:
                continue
            taps = np.ix_(range(len(weight)), down.taps, across.taps)
            kernel, met = weight[taps], constant[taps]
            phase_bias = bias + constant.sum(axis=(1, 2)) - met.sum(axis=(1, 2))
            if met.size == 0:  # a kernel of one tap that adds nothing
                kernel = np.zeros((len(weight), 1, 1, ifm.shape[2]), np.int32)
            packed = pack_convolution(kernel, phase_bias, requantization, *code_limits)
            image = _met(ifm, pad_code, (down, across), kernel.shape[1:3], places.shape[:2])
            places[:] = convolve(packed, image)
    return out


def _met(
    ifm: Codes,
    pad_code: Wide,
    axes: tuple[Phase, Phase],
    kernel: tuple[int, ...],
    outputs: tuple[int, ...],
) -> Codes:
    """The pixels a phase meets, pad codes where it reaches beyond the image."""
    sides = [count + taps - 1 for count, taps in zip(outputs, kernel, strict=True)]
    image = np.empty((*sides, ifm.shape[2]), np.int32)
    image[:] = pad_code
    inside, source = [], []
    for phase, side, size in zip(axes, sides, ifm.shape[:2], strict=True):
        begin, end = max(phase.first, 0), min(phase.first + side, size)
        inside.append(slice(begin - phase.first, max(end, begin) - phase.first))
        source.append(slice(begin, max(end, begin)))
    image[tuple(inside)] = ifm[tuple(source)]
    return image
