"""From integer sums to codes in ONNX's own operators, exactly: every requantization mode.

Sums are held in floating point, where integers below 2^24 (float32) and 2^53 (float64) are exact.
A product of a sum and a multiplier / 2^shift is exact in float64 as long as it needs no more bits
than that, or lies so far outside the codes that it is clamped in any case.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.common.requantization_modes import MODES
from quant.graph import Requantization
from quant.interchange.onnx_draft import DOUBLE, FLOAT, Draft, Shape

FLOAT_LIMIT = 1 << 24
"""Magnitude up to which float32 holds every integer."""
DOUBLE_LIMIT = 1 << 52
"""Magnitude up to which float64 holds every integer, and its halves."""
_HIGH_HALF, _HALF = 31, 16
_INT32 = 1 << 31


class InexactError(Exception):
    """Floats cannot hold what an operator computes; has what was expected and what was found."""

    def __init__(self, wanted: str, found: str) -> None:
        super().__init__(wanted, found)
        self.wanted, self.found = wanted, found


@dataclass(frozen=True, slots=True)
class Sums:
    """Integers in a tensor of floats.

    Attributes:
        name: of the tensor.
        shape: of the tensor.
        element: FLOAT or DOUBLE.
        bound: the largest magnitude they can have.
        step_bits: they are multiples of two to the power of this.
    """

    name: str
    shape: Shape
    element: int
    bound: int
    step_bits: int = 0


@dataclass(frozen=True, slots=True)
class _Rounding:
    """A rounding in ONNX's operators: (number + offset) by an operator, of magnitudes or signed."""

    offset: float
    operator: str
    of_magnitudes: bool = False


_ROUNDINGS = {
    "floor": _Rounding(0, "Floor"),
    "ceil": _Rounding(0, "Ceil"),
    "trunc_zero": _Rounding(0, "Floor", of_magnitudes=True),
    "half_up": _Rounding(0.5, "Floor"),
    "half_down": _Rounding(-0.5, "Ceil"),
    "half_away": _Rounding(0.5, "Floor", of_magnitudes=True),
    "half_even": _Rounding(0, "Round"),
}
_ONE_ROUNDING = {
    **{name: name for name in _ROUNDINGS},
    "shift": "half_up",
    "tflite_single": "half_up",
    "nvdla": "half_away",
    "dyadic": "half_even",
}
"""Modes of one rounding of the exact quotient, and how they round."""
_TWO_ROUNDINGS = {"tflite_double": "half_away", "tflite_neon": "half_up"}
"""Modes that round halves up first, and how they round then."""


def codes(
    draft: Draft,
    name: str,
    sums: Sums,
    given: Requantization,
    offset: int,
    *,
    clips: bool,
    element: int = FLOAT,
) -> str:
    """Append what brings sums to codes; gives the name of a tensor of codes − offset.

    Args:
        draft: the model so far.
        name: what the new tensors' names begin with.
        sums: integers.
        given: the requantization.
        offset: taken off the codes.
        clips: whether codes are clamped here.
        element: FLOAT or DOUBLE, of the new tensor.

    Raises:
        InexactError: floats of the widths there are would not give the same codes.
    """
    chain = _Chain(draft, name, sums)
    if MODES[given.rounding].is_float:
        before = _scaled_in_float(chain, given)
    elif given.rounding in _TWO_ROUNDINGS:
        before = _rounded_twice(chain, given)
    else:
        before = _rounded_once(chain, given)
    after = given.zero_point - before
    if clips:
        chain.clip(given.low - after, given.high - after)
    chain.cast(element)
    chain.add(after - offset)
    return chain.tensor


class _Chain:
    """Operators of one operand each, one behind the other."""

    def __init__(self, draft: Draft, name: str, sums: Sums) -> None:
        self.draft, self.name, self.sums = draft, name, sums
        self.tensor, self.element = sums.name, sums.element
        self._count = 0

    def apply(self, kind: str, *others: str, **attributes: Any) -> str:
        """Append an operator that reads the last result first."""
        self._count += 1
        output = f"{self.name}.{kind.lower()}{self._count}"
        inputs = [self.tensor, *others]
        self.tensor = self.draft.operator(
            kind, inputs, output, self.sums.shape, self.element, **attributes
        )
        return self.tensor

    def cast(self, element: int) -> None:
        """The same numbers in another type."""
        if element != self.element:
            self.element = element
            self.apply("Cast", to=element)

    def add(self, number: float) -> None:
        """Add a number, unless it is 0."""
        if number:
            self.apply("Add", self._constant(np.full(1, number)))

    def multiply(self, factors: NDArray[np.float64] | NDArray[np.float32]) -> None:
        """Multiply by a factor for all, or one for each channel; unless they are all 1."""
        if (factors != 1).any():
            self.apply("Mul", self._constant(factors))

    def clip(self, low: int, high: int) -> None:
        """Bring what lies outside to the limits."""
        self.apply("Clip", *(self._scalar(limit) for limit in (low, high)))

    def round(self, rounding: _Rounding) -> None:
        """Round to integers."""
        signed = self.tensor
        if rounding.of_magnitudes:
            self.apply("Abs")
        self.add(rounding.offset)
        self.apply(rounding.operator)
        if rounding.of_magnitudes:
            magnitude = self.tensor
            self.tensor = signed
            self.apply("Sign")
            self.apply("Mul", magnitude)

    def _constant(self, values: NDArray[np.float64] | NDArray[np.float32]) -> str:
        shape = (1, -1, 1, 1) if values.size > 1 else ()
        typed = values.astype(np.float32 if self.element == FLOAT else np.float64)
        name = f"{self.name}.constant{len(self.draft.constants)}"
        return self.draft.constant(name, typed.reshape(shape))

    def _scalar(self, number: int) -> str:
        return self._constant(np.full(1, number, np.float64))


def _rounded_once(chain: _Chain, given: Requantization) -> int:
    multiplier, shift = given.multiplier, given.shift
    if given.rounding == "tflite_s64":
        top = multiplier >= 0x7FFF0000
        multiplier = np.where(top, 0x7FFF, (multiplier + (1 << 15)) >> 16)
        shift = shift - 16
    _require_exact(chain.sums, multiplier, shift, given)
    before = given.zero_point if given.zero_point_first else 0
    chain.cast(DOUBLE)
    chain.multiply(_quotient(multiplier, shift))
    chain.add(before)
    chain.round(_ROUNDINGS[_ONE_ROUNDING.get(given.rounding, "half_up")])
    return before


def _rounded_twice(chain: _Chain, given: Requantization) -> int:
    multiplier, shift = given.multiplier, given.shift
    left, right = np.maximum(_HIGH_HALF - shift, 0), np.maximum(shift - _HIGH_HALF, 0)
    widest = chain.sums.bound << int(left.max())
    if widest >= _INT32:
        raise InexactError("sums that fit 32 bits when they are shifted", f"up to {widest}")
    before = given.zero_point if given.zero_point_first else 0
    chain.cast(DOUBLE)
    try:
        _require_exact(chain.sums, multiplier << left, np.maximum(shift, _HIGH_HALF), given)
    except InexactError:
        _round_high_half(chain, multiplier, left)
    else:
        chain.multiply(_quotient(multiplier << left, np.full_like(shift, _HIGH_HALF)))
        chain.round(_ROUNDINGS["half_up"])
    chain.multiply(_quotient(np.ones_like(right), right))
    chain.add(before)
    chain.round(_ROUNDINGS[_TWO_ROUNDINGS[given.rounding]])
    return before


def _round_high_half(chain: _Chain, multiplier: NDArray[np.int64], left: NDArray[np.int64]) -> None:
    """⌊(sum · 2^left · multiplier + 2^30) / 2^31⌋ from the multiplier's halves of 16 bits.

    What the lower half's product leaves behind 2^16 changes no result, so that it is rounded down
    by itself; sums of 32 bits times halves are exact.
    """
    sums = chain.tensor
    chain.multiply(_quotient((multiplier & 0xFFFF) << left, np.full_like(left, _HALF)))
    chain.apply("Floor")
    lower, chain.tensor = chain.tensor, sums
    chain.multiply(_quotient((multiplier >> _HALF) << left, np.zeros_like(left)))
    chain.apply("Add", lower)
    chain.multiply(_quotient(np.ones(1, np.int64), np.array([_HIGH_HALF - _HALF])))
    chain.round(_ROUNDINGS["half_up"])


def _scaled_in_float(chain: _Chain, given: Requantization) -> int:
    has_two = MODES[given.rounding].has_destination_scale
    before = given.zero_point if given.zero_point_first or has_two else 0
    chain.cast(FLOAT)
    chain.multiply(given.multiplier.astype(np.int32).view(np.float32))
    if has_two:
        chain.multiply(np.array([given.destination_scale], np.int32).view(np.float32))
    chain.add(before)
    chain.round(_ROUNDINGS["half_even"])
    return before


def _quotient(multiplier: NDArray[np.int64], shift: NDArray[np.int64]) -> NDArray[np.float64]:
    quotient: NDArray[np.float64] = np.ldexp(multiplier.astype(np.float64), -shift)
    return quotient


def _require_exact(
    sums: Sums,
    multiplier: NDArray[np.int64],
    shift: NDArray[np.int64],
    given: Requantization,
) -> None:
    """Make sure that every product which is not clamped is exact in float64."""
    reach = max(abs(given.low - given.zero_point), abs(given.high - given.zero_point)) + 2
    reach += abs(given.zero_point) if given.zero_point_first else 0
    channels = np.broadcast_arrays(multiplier, shift)
    for factor, places in zip(*(each.tolist() for each in channels), strict=True):
        product = min(sums.bound * abs(factor), reach << places)
        if product >> sums.step_bits > DOUBLE_LIMIT:
            raise InexactError(
                f"products of sums and multipliers up to {DOUBLE_LIMIT}, which float64 holds",
                f"up to {product}",
            )
