"""What each integer operator computes: slow, obvious, and the definition the kernels must meet.

Feature maps are [height, width, channels] and hold integer values. Every function takes arrays of
any integer type and returns int64; the operators' pages in ``docs/operators`` state the same.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwsim.arithmetic import reference_requantization
from hwsim.arithmetic.geometry import DENSE, Geometry
from quant.common.float32 import fused_multiply_add
from quant.common.requantization import FusedTerms, Requantization, TermRounding
from quant.common.requantization_modes import MODES

Integers = NDArray[np.int64]


def pad(ifm: ArrayLike, padding: tuple[int, int, int, int], pad_code: ArrayLike) -> Integers:
    """Surround an image with the codes that taps outside it read.

    Args:
        ifm: [H, W, I].
        padding: rows above and below, columns left and right.
        pad_code: [I], the code of each channel outside the image.

    Returns:
        [H + top + bottom, W + left + right, I].
    """
    image = _integers(ifm)
    top, bottom, left, right = padding
    height, width, channels = image.shape
    padded = np.empty((top + height + bottom, left + width + right, channels), np.int64)
    padded[:, :] = _integers(pad_code)
    padded[top : top + height, left : left + width] = image
    return padded


def convolve(
    ifm: ArrayLike, weight: ArrayLike, bias: ArrayLike, geometry: Geometry = DENSE
) -> Integers:
    """The accumulators of a convolution: correlation, as neural networks mean it.

    Args:
        ifm: [H, W, I], already padded.
        weight: [O, KH, KW, I/groups].
        bias: [O].
        geometry: stride, dilation and groups; groups divide I and O.

    Returns:
        [(H - window height) // stride + 1, (W - window width) // stride + 1, O], where a window
        spans (K - 1) · dilation + 1 rows or columns.
    """
    image, kernel = _integers(ifm), _integers(weight)
    outputs, kernel_height, kernel_width, group_inputs = kernel.shape
    height, width = geometry.output_size(image.shape[:2], (kernel_height, kernel_width))
    accumulator = np.zeros((height, width, outputs), np.int64)
    for group in range(geometry.groups):
        members = _part(group, outputs // geometry.groups)
        channels = image[:, :, _part(group, group_inputs)]
        for ky in range(kernel_height):
            for kx in range(kernel_width):
                rows = _every(geometry.stride[0], ky * geometry.dilation[0], height)
                columns = _every(geometry.stride[1], kx * geometry.dilation[1], width)
                taps = kernel[members, ky, kx]
                accumulator[:, :, members] += channels[rows, columns] @ taps.T
    return accumulator + _integers(bias)


def _part(index: int, size: int) -> slice:
    """Part ``index`` of something cut into parts of a size."""
    return slice(index * size, (index + 1) * size)


def _every(stride: int, first: int, count: int) -> slice:
    """``count`` places from the first on, a stride apart."""
    return slice(first, first + (count - 1) * stride + 1, stride)


def add(first: ArrayLike, second: ArrayLike, multipliers: tuple[int, int], bias: int) -> Integers:
    """The accumulators of an addition of two feature maps on different scales.

    Returns:
        first · multipliers[0] + second · multipliers[1] + bias.
    """
    return _integers(first) * multipliers[0] + _integers(second) * multipliers[1] + bias


def add_rounded(
    first: ArrayLike,
    second: ArrayLike,
    multipliers: tuple[int, int],
    terms: TermRounding,
    bias: int,
) -> Integers:
    """The accumulators of an addition that rounds both operands first, as TensorFlow Lite does.

    Returns:
        rounded(first) + rounded(second) + bias, where operand i is rounded in the mode
        ``tflite_double`` from (code - zero_points[i]) · 2^left_shift, with its multiplier and
        shift.
    """
    rounded = [
        requantize(
            (_integers(codes) - zero_point) * 2**terms.left_shift,
            Requantization(
                np.array([multiplier]),
                np.array([shift]),
                zero_point=0,
                low=-(2**31),
                high=2**31 - 1,
                rounding="tflite_double",
            ),
        )
        for codes, multiplier, shift, zero_point in zip(
            (first, second), multipliers, terms.shifts, terms.zero_points, strict=True
        )
    ]
    return rounded[0] + rounded[1] + bias


def add_fused(
    first: ArrayLike,
    second: ArrayLike,
    ratios: tuple[int, int],
    terms: FusedTerms,
    low: int,
    high: int,
) -> Integers:
    """An addition in float32, as ONNX Runtime does it, rounded to codes.

    Args:
        first: [..., C], of at most 24 bits.
        second: the same shape.
        ratios: bit patterns of float32.
        terms: what is added.
        low: least code.
        high: greatest code.

    Returns:
        fma(first, ratios[0], fma(second, ratios[1], addend)), clamped and rounded to the nearest
        integer, halves to the even one; fma rounds to float32 once.
    """
    first_ratio, second_ratio, addend = np.array([*ratios, terms.addend], np.int32).view(np.float32)
    partial = fused_multiply_add(_integers(second), second_ratio, addend)
    total = fused_multiply_add(_integers(first), first_ratio, partial)
    return np.rint(np.clip(total, np.float32(low), np.float32(high))).astype(np.int64)


def requantize(accumulator: ArrayLike, requantization: Requantization) -> Integers:
    """Scale accumulators, round, move by the zero point and clamp, as the named mode defines it.

    Args:
        accumulator: [..., O].
        requantization: with parameters of O channels, or of one for all.

    Raises:
        ValueError: a product could exceed 2^62, so that adding half a unit would leave int64.
    """
    values = _integers(accumulator)
    factor_bits = MODES[requantization.rounding].factor_bits
    largest_factor = min(_magnitude(requantization.multiplier), 2**factor_bits - 1)
    if _magnitude(values) * largest_factor > 2**62:
        raise ValueError("requantize: products leave 62 bits")
    return reference_requantization.codes(values, requantization)


def pixel_shuffle(ifm: ArrayLike, factor: int) -> Integers:
    """Move channels into space, in depth-column-row (DCR) order, as TFLite's DEPTH_TO_SPACE.

    Args:
        ifm: [H, W, factor² · C].
        factor: how much larger the image becomes in each direction.

    Returns:
        [H · factor, W · factor, C], where pixel (y·factor + dy, x·factor + dx) holds channels
        (dy·factor + dx)·C … of input pixel (y, x).
    """
    image = _integers(ifm)
    height, width, depth = image.shape
    channels = depth // factor**2
    shuffled = np.empty((height * factor, width * factor, channels), np.int64)
    for dy in range(factor):
        for dx in range(factor):
            first = (dy * factor + dx) * channels
            shuffled[dy::factor, dx::factor] = image[:, :, first : first + channels]
    return shuffled


def _integers(values: ArrayLike) -> Integers:
    """The values as int64; a float among them is a mistake, never truncated."""
    return np.asarray(values).astype(np.int64, casting="safe")


def _magnitude(values: Integers) -> int:
    """The largest absolute value, as a Python integer, which cannot overflow."""
    return max(-int(values.min()), int(values.max()))
