"""Pointwise operators on narrow codes as lookup tables: one rounding, any codes on either side."""

from collections.abc import Callable
from typing import Any

import numpy as np

from quant.common.codes import CodeKind
from quant.graph import LookupTable
from quant.graph.operators import Integers
from quant.lowering.encodings import MapEncoding
from quant.lowering.float_operators import (
    FloatAffine,
    FloatClamp,
    FloatFunction,
    FloatPRelu,
    Reals,
)
from quant.lowering.functions import FUNCTIONS
from quant.lowering.plan import Copy

Pointwise = FloatAffine | FloatClamp | FloatPRelu | FloatFunction | Copy


def lookup_table(operator: Pointwise, source: MapEncoding, target: MapEncoding) -> LookupTable:
    """The nearest code to an operator's value at every code there is, halves to even.

    Args:
        operator: what is tabulated.
        source: encoding of its operand.
        target: encoding of its result.
    """
    codes = np.arange(source.integer.low, source.integer.high + 1, dtype=np.float64)
    real: Reals = source.scale * (codes - source.zero[0])
    return LookupTable(nearest_codes(_VALUES[type(operator)](operator, real[None]), target))


def nearest_codes(values: Reals, target: MapEncoding) -> Integers:
    """The codes of real numbers, halves to even and what is out of range to the last code.

    Args:
        values: float64 of any shape.
        target: the encoding, with one zero for all channels.
    """
    places: Reals = values / target.scale + target.zero[0]
    nearest: Reals = np.rint(places)
    if target.integer.kind is CodeKind.ODD:
        nearest = 2 * np.rint((places + target.integer.high) / 2) - target.integer.high
    codes: Integers = np.clip(nearest, target.integer.low, target.integer.high).astype(np.int64)
    return codes


def _function(function: FloatFunction, real: Reals) -> Reals:
    return function.scale * FUNCTIONS[function.name](real) + function.offset


def _prelu(prelu: FloatPRelu, real: Reals) -> Reals:
    values: Reals = np.where(real < 0, prelu.slope[:, None] * real, real)
    return values


_VALUES: dict[type[Pointwise], Callable[[Any, Reals], Reals]] = {
    FloatAffine: lambda affine, real: affine.scale[:, None] * real + affine.offset[:, None],
    FloatClamp: lambda clamp, real: np.clip(real, *clamp.clamp),
    FloatPRelu: _prelu,
    FloatFunction: _function,
    Copy: lambda _, real: real,
}
"""(operator, float64 [1, n] real operands) to float64 [1 or channels, n] results."""
