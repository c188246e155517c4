"""Addition, requantization and pixel shuffle of feature maps, fast.

Each equals its definition in `hwsim.arithmetic.reference` bit for bit.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import _kernels_elementwise
from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic._kernels_bounds import extremes
from hwsim.arithmetic._kernels_requantization import LEFT_SHIFT
from hwsim.arithmetic._requantization import check_scaling, check_sums, check_vector, magnitude
from hwsim.arithmetic.requantization_modes import RECIPES, channel_parameters

Integer = TypeVar("Integer", bound=np.integer)

_ONE = np.ones(1, np.int64)


def add_requantize(
    first: Codes,
    second: Codes,
    multipliers: tuple[int, int],
    bias: int,
    shift: int | Wide,
    zero_point: int,
    low: int,
    high: int,
    multiplier: Wide = _ONE,
    rounding: str = "half_up",
    destination_scale: int = 0,
) -> Codes:
    """Add two feature maps on different scales and requantize (``docs/operators/add.md``).

    Args:
        first: int32 [..., C].
        second: int32, the same shape.
        multipliers: of the first and the second map, magnitudes below 2^31.
        bias: added to the scaled sum.
        shift: one integer, or int64 [C] or [1].
        zero_point: the code of a sum of 0.
        low: the least code of the output.
        high: the greatest.
        multiplier: int64 [C] or [1], of the sum.
        rounding: the requantization mode, which sets the limits of multipliers and shifts.
        destination_scale: of the mode ``onednn``, a bit pattern of float32.

    Returns:
        int32 of the inputs' shape.

    Raises:
        ValueError: the maps differ in shape or are not int32, a parameter is out of range, or a
            product could exceed 2^62.
    """
    largest_first, largest_second = _largest(first, "addition"), _largest(second, "addition")
    if first.shape != second.shape:
        raise ValueError(
            f"addition: the shapes {list(first.shape)} and {list(second.shape)} must be equal"
        )
    scales = abs(multipliers[0]), abs(multipliers[1])
    if max(scales) >= 2**31:
        raise ValueError(f"addition: multipliers {multipliers} must be below 2^31 in magnitude")
    channels = first.shape[-1]
    shifts = np.atleast_1d(np.asarray(shift, np.int64))
    check_vector(multiplier, "addition multiplier", (channels, 1))
    check_vector(shifts, "addition shift", (channels, 1))
    mode = check_scaling(
        "addition", multiplier, shifts, zero_point, low, high, rounding, destination_scale
    )
    largest = largest_first * scales[0] + largest_second * scales[1] + abs(bias)
    check_sums("addition", largest, mode, multiplier)
    biases = np.array([bias], np.int64)
    out = np.empty(first.shape, np.int32)
    _kernels_elementwise.add_requantize(
        np.ascontiguousarray(first).reshape(-1, channels),
        np.ascontiguousarray(second).reshape(-1, channels),
        multipliers[0],
        multipliers[1],
        channel_parameters(biases, multiplier, shifts, channels, rounding, destination_scale),
        RECIPES[rounding].family,
        zero_point,
        low,
        high,
        out.reshape(-1, channels),
    )
    return out


def add_rounded_requantize(
    operands: tuple[Codes, Codes],
    multipliers: tuple[int, int],
    shifts: tuple[int, int],
    zero_points: tuple[int, int],
    left_shift: int,
    bias: int,
    shift: Wide,
    zero_point: int,
    low: int,
    high: int,
    multiplier: Wide = _ONE,
    rounding: str = "tflite_double",
    destination_scale: int = 0,
) -> Codes:
    """Add two feature maps that are rounded before the sum (``docs/operators/add.md``).

    Args:
        operands: int32 [..., C], of one shape.
        multipliers: of the operands, 0 … 2^31 - 1.
        shifts: of the operands, 31 … 62.
        zero_points: of the operands, subtracted first.
        left_shift: bits by which operands are widened before they are scaled.
        bias: added to the sum.
        shift: of the sum, int64 [C] or [1].
        zero_point: the code of a sum of 0.
        low: the least code of the output.
        high: the greatest.
        multiplier: of the sum, int64 [C] or [1].
        rounding: the sum's requantization mode.
        destination_scale: of the mode ``onednn``, a bit pattern of float32.

    Returns:
        int32 of the operands' shape.

    Raises:
        ValueError: the maps differ in shape or are not int32, a parameter is out of range, or a
            widened operand could leave 32 bits.
    """
    first, second = operands
    if first.shape != second.shape:
        raise ValueError(
            f"addition: the shapes {list(first.shape)} and {list(second.shape)} must be equal"
        )
    channels = first.shape[-1]
    check_vector(multiplier, "addition multiplier", (channels, 1))
    check_vector(shift, "addition shift", (channels, 1))
    mode = check_scaling(
        "addition", multiplier, shift, zero_point, low, high, rounding, destination_scale
    )
    terms, largest = [], abs(bias)
    for codes, factor, term_shift, zero in zip(
        operands, multipliers, shifts, zero_points, strict=True
    ):
        reach = (_largest(codes, "addition") + abs(zero)) << left_shift
        terms.append(_term_parameters(reach, factor, term_shift, zero, left_shift, channels))
        largest += reach
    check_sums("addition", largest, mode, multiplier)
    out = np.empty(first.shape, np.int32)
    biases = np.array([bias], np.int64)
    _kernels_elementwise.add_rounded_requantize(
        np.ascontiguousarray(first).reshape(-1, channels),
        np.ascontiguousarray(second).reshape(-1, channels),
        terms[0],
        terms[1],
        channel_parameters(biases, multiplier, shift, channels, rounding, destination_scale),
        RECIPES[rounding].family,
        zero_point,
        low,
        high,
        out.reshape(-1, channels),
    )
    return out


def _term_parameters(
    reach: int, multiplier: int, shift: int, zero_point: int, left_shift: int, channels: int
) -> Wide:
    """The kernel's parameters of an operand that reaches a magnitude once it is widened."""
    if reach >= 2**31 or not 0 <= multiplier < 2**31 or not 31 <= shift <= 62:
        raise ValueError(
            f"addition: operand of up to {reach} with multiplier {multiplier} and shift {shift}; "
            "expected 32 bits, 0 … 2^31 - 1 and 31 … 62"
        )
    parameters = channel_parameters(
        np.array([-zero_point]),
        np.array([multiplier]),
        np.array([shift]),
        channels,
        "tflite_double",
    )
    parameters[LEFT_SHIFT] += left_shift
    return parameters


def requantize_codes(
    codes: Codes,
    bias: Wide,
    multiplier: Wide,
    shift: Wide,
    zero_point: int,
    low: int,
    high: int,
    rounding: str = "half_up",
    destination_scale: int = 0,
) -> Codes:
    """Move, scale, round and clamp codes (``docs/operators/requantize.md``).

    Args:
        codes: int32 [..., C].
        bias: int64 [C] or [1], added before scaling.
        multiplier: int64 [C] or [1].
        shift: int64 [C] or [1].
        zero_point: the code of a sum of 0.
        low: the least code of the output.
        high: the greatest.
        rounding: the mode, which sets the limits of multipliers and shifts.
        destination_scale: of the mode ``onednn``, a bit pattern of float32.

    Returns:
        int32 of the codes' shape.

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or a product could exceed 2^62.
    """
    largest = _largest(codes, "requantization")
    channels = codes.shape[-1]
    check_vector(bias, "requantization bias", (channels, 1))
    check_vector(multiplier, "requantization multiplier", (channels, 1))
    check_vector(shift, "requantization shift", (channels, 1))
    mode = check_scaling(
        "requantization", multiplier, shift, zero_point, low, high, rounding, destination_scale
    )
    check_sums("requantization", largest + magnitude(bias), mode, multiplier)
    out = np.empty(codes.shape, np.int32)
    _kernels_elementwise.requantize_codes(
        np.ascontiguousarray(codes).reshape(-1, channels),
        channel_parameters(bias, multiplier, shift, channels, rounding, destination_scale),
        RECIPES[rounding].family,
        zero_point,
        low,
        high,
        out.reshape(-1, channels),
    )
    return out


def pixel_shuffle(ifm: NDArray[Integer], factor: int) -> NDArray[Integer]:
    """Move channels into space, in DCR order (``docs/operators/pixel_shuffle.md``).

    Args:
        ifm: [H, W, factor² · C], any integer type.
        factor: how much larger the image becomes in each direction.

    Returns:
        [H · factor, W · factor, C] of the same type.

    Raises:
        ValueError: the channels are no multiple of factor².
    """
    height, width, depth = ifm.shape
    if factor < 1 or depth % factor**2:
        raise ValueError(
            f"pixel shuffle: {depth} channels are no multiple of {factor}², the pixels each one "
            "spreads to; choose a factor that divides them"
        )
    channels = depth // factor**2
    blocks = ifm.reshape(height, width, factor, factor, channels)
    return blocks.transpose(0, 2, 1, 3, 4).reshape(height * factor, width * factor, channels)


def _largest(codes: Codes, what: str) -> int:
    """The largest absolute value of int32 [..., C] codes."""
    if codes.dtype != np.int32 or codes.ndim == 0:
        raise ValueError(f"{what}: expected int32 codes, got {codes.dtype} {list(codes.shape)}")
    if codes.size == 0:
        return 0
    least, greatest, _ = extremes(np.ascontiguousarray(codes).reshape(-1))
    return max(-int(least), int(greatest))
