"""The parameters each requantization mode takes for given real scales, as its engine derives them.

A convolution over codes of scale s_x with weights of scale s_w has sums in units of s_x·s_w; codes
of scale s_y are the sums times s_x·s_w / s_y. How that quotient is rounded to the numbers a mode
multiplies by belongs to the mode: `rescaling` does it to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quant.common.requantization_modes import LARGEST_SHIFT, MODES

Integers = NDArray[np.int64]
Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]

_NVDLA_MULTIPLIER_BITS, _NVDLA_LARGEST_SHIFT = 15, 31


@dataclass(frozen=True, slots=True, eq=False)
class Rescaling:
    """Parameters of a mode: int64 [channels] multipliers and shifts, and one destination scale."""

    multiplier: Integers
    shift: Integers
    destination_scale: int = 0


def rescaling(
    mode: str, input_scale: float, weight_scales: ArrayLike, output_scale: float
) -> Rescaling:
    """What a mode multiplies and shifts by, from the scales of a convolution.

    Args:
        mode: a name in `MODES`.
        input_scale: of the codes that are read; taken as float32, like every scale.
        weight_scales: [channels] or one.
        output_scale: of the codes that are written.
    """
    scales = (
        np.float32(input_scale),
        np.atleast_1d(np.asarray(weight_scales, np.float32)),
        np.float32(output_scale),
    )
    return _FROM_SCALES.get(mode, _normalized)(MODES[mode].shifts, *scales)


def quantize_multiplier(factor: Doubles, shifts: tuple[int, int] = (1, 62)) -> Rescaling:
    """Multipliers of 31 bits with factor ≈ multiplier / 2^shift, as TensorFlow Lite takes them.

    Factors below 2^-32 become 0. Source: ``QuantizeMultiplier`` in TensorFlow Lite's
    ``quantization_util.cc``; its exponent is 31 - shift.

    Args:
        factor: float64 [n], at least 0.
        shifts: least and greatest shift. A factor that needs a smaller one gets the largest
            multiplier and the least shift.
    """
    multiplier, shift = _mantissa(factor, 31)
    vanishing, huge = shift > 62, shift < shifts[0]
    multiplier = np.where(vanishing, 0, np.where(huge, 2**31 - 1, multiplier))
    return Rescaling(multiplier, np.where(vanishing, 31, np.maximum(shift, shifts[0])))


def dyadic(factor: Doubles, bits: int = 31) -> Rescaling:
    """Multipliers of ``bits`` bits with factor ≈ multiplier / 2^shift.

    Source: ``batch_frexp`` of HAWQ-V3 (arXiv:2011.10680), where bits is 31. Factors that need a
    shift beyond 62 keep fewer bits; those of 2^bits and more are refused.

    Raises:
        ValueError: a factor is too large.
    """
    return _bounded(factor, bits, LARGEST_SHIFT)


def float32_bits(values: ArrayLike) -> Integers:
    """Bit patterns of float32 values as integers."""
    return np.atleast_1d(np.asarray(values, np.float32)).view(np.int32).astype(np.int64)


def _mantissa(factor: Doubles, bits: int) -> tuple[Integers, Integers]:
    """The ``bits`` leading bits, rounded half up, and the shift that puts the point back."""
    fraction, exponent = np.frexp(factor)
    multiplier = np.floor(np.ldexp(fraction, bits) + 0.5).astype(np.int64)
    carried = multiplier == 1 << bits
    shift = (bits - exponent - carried).astype(np.int64)
    return np.where(carried, multiplier >> 1, multiplier), shift


def _bounded(factor: Doubles, bits: int, largest_shift: int) -> Rescaling:
    multiplier, shift = _mantissa(factor, bits)
    if shift.min() < 0:
        raise ValueError(f"factor {factor.max()}: expected less than 2^{bits}; scale it down")
    excess = np.clip(shift - largest_shift, 0, LARGEST_SHIFT)
    shortened = (multiplier + ((1 << excess) >> 1)) >> excess
    return Rescaling(shortened, np.minimum(shift, largest_shift))


def _real(input_scale: np.float32, weight_scales: Singles, output_scale: np.float32) -> Doubles:
    return np.float64(input_scale) * weight_scales.astype(np.float64) / np.float64(output_scale)


def _normalized(
    shifts: tuple[int, int], input_scale: np.float32, weights: Singles, output_scale: np.float32
) -> Rescaling:
    return quantize_multiplier(_real(input_scale, weights, output_scale), shifts)


def _dyadic(
    shifts: tuple[int, int], input_scale: np.float32, weights: Singles, output_scale: np.float32
) -> Rescaling:
    return dyadic(_real(input_scale, weights, output_scale))


def _nvdla(
    shifts: tuple[int, int], input_scale: np.float32, weights: Singles, output_scale: np.float32
) -> Rescaling:
    factor = _real(input_scale, weights, output_scale)
    return _bounded(factor, _NVDLA_MULTIPLIER_BITS, _NVDLA_LARGEST_SHIFT)


def _power_of_two(
    shifts: tuple[int, int], input_scale: np.float32, weights: Singles, output_scale: np.float32
) -> Rescaling:
    """The nearest power of two on a logarithmic scale."""
    shift = np.rint(-np.log2(_real(input_scale, weights, output_scale))).astype(np.int64)
    return Rescaling(np.ones_like(shift), np.clip(shift, *shifts))


def _single_scale(
    shifts: tuple[int, int], input_scale: np.float32, weights: Singles, output_scale: np.float32
) -> Rescaling:
    """``input_scale * weight_scale / output_scale`` with every step rounded to float32."""
    scale = (input_scale * weights) / output_scale
    return Rescaling(float32_bits(scale), np.zeros(len(scale), np.int64))


def _single_scale_of_reciprocal(
    shifts: tuple[int, int], input_scale: np.float32, weights: Singles, output_scale: np.float32
) -> Rescaling:
    """``input_scale * weight_scale * (1 / output_scale)``, every step rounded to float32."""
    scale = (input_scale * weights) * (np.float32(1) / output_scale)
    return Rescaling(float32_bits(scale), np.zeros(len(scale), np.int64))


def _two_scales(
    shifts: tuple[int, int], input_scale: np.float32, weights: Singles, output_scale: np.float32
) -> Rescaling:
    """``input_scale * weight_scale`` for each channel, then ``1 / output_scale`` for all.

    PyTorch hands the input scale over as its reciprocal, which is inverted again.
    """
    one = np.float32(1)
    destination = float32_bits(one / output_scale)
    bits = float32_bits(one / (one / input_scale) * weights)
    return Rescaling(bits, np.zeros_like(bits), int(destination[0]))


_FROM_SCALES: dict[str, Callable[..., Rescaling]] = {
    "shift": _power_of_two,
    "nvdla": _nvdla,
    "dyadic": _dyadic,
    "xnnpack": _single_scale,
    "onnxruntime": _single_scale,
    "qnnpack": _single_scale_of_reciprocal,
    "onednn": _two_scales,
}
"""How modes derive their parameters; those not named here as TensorFlow Lite, by `_normalized`."""
