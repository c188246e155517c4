"""Machine code of additions whose operands are rounded first: three roundings in registers.

The loops are those of a requantization (`hwsim.arithmetic._requantization_emitter`); what they
round is the sum of two codes that were scaled and rounded just before.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hwsim.arithmetic._requantization_emitter import (
    Family,
    call_of_family,
    emit_lanes,
    function_named,
    loaded_channels,
    name_of,
    rounded_away,
)
from hwsim.arithmetic._vectors import Vector

_INT64 = ir.IntType(64)
_NO_LIMITS = [_INT64(0)] * 3
"""Of terms, which are not clamped."""


def _add_rounded(
    _context: Any,
    first: Any,
    second: Any,
    first_parameters: Any,
    second_parameters: Any,
    bias: Any,
    parameters: Any,
    codes: Any,
    family: Any,
    zero_point: Any,
    low: Any,
    high: Any,
) -> Any:
    """For kernels: scale and round two maps, add them and the bias, and requantize the sum.

    Args:
        _context: Numba's; not given by callers.
        first: [pixels, C].
        second: [pixels, C].
        first_parameters: int64 [ROWS, C], of the first map's rounding, as
            `hwsim.arithmetic._requantization_emitter.rounded_away` takes them.
        second_parameters: the same of the second map.
        bias: added to the sum.
        parameters: int64 [ROWS, C], of the sum's requantization.
        codes: [pixels, C], written.
        family: place of the sum's requantization in `FAMILIES`.
        zero_point: added to the rounded quotient.
        low: the least code.
        high: the greatest.
    """
    count = types.int64
    arrays = first, second, first_parameters, second_parameters
    signature = types.void(*arrays, count, parameters, codes, *[count] * 4)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> Any:
        made = {
            place: context.make_array(kind)(context, builder, values[place])
            for place, kind in enumerate(signature.args)
            if isinstance(kind, types.Array)
        }
        pixels, channels = (builder.extract_value(made[6].shape, axis) for axis in range(2))
        pointers = [made[place].data for place in (0, 1, 2, 3, 5, 6)]
        arguments = [*pointers, pixels, channels, values[4], *values[8:]]
        signs = tuple(signature.args[place].dtype.signed for place in (0, 1))

        def function_of(family: Family) -> Any:
            return _function(builder.module, family, arguments, signs)

        call_of_family(builder, values[7], function_of, arguments)
        return context.get_dummy_value()

    return signature, generate


emitted_add_rounded: Callable[..., None] = intrinsic(_add_rounded)


def _function(
    module: ir.Module, family: Family, arguments: list[Any], signs: tuple[bool, ...]
) -> Any:
    """The function of a family for maps and codes of some types."""
    operands = [
        name_of(argument.type.pointee, has_sign)
        for argument, has_sign in zip(arguments[:2], signs, strict=True)
    ]
    name = f"add{family.formula.__name__}_{'_'.join(operands)}_{arguments[5].type.pointee}"

    def emit(function: ir.Function) -> None:
        def emit_pixels(builder: ir.IRBuilder, lane: Any, lanes: int) -> None:
            _emit_pixels(builder, function, family, lane, lanes, signs)

        emit_lanes(function, function.args[7], family.lanes, emit_pixels)

    return function_named(module, name, arguments, emit)


def _emit_pixels(
    builder: ir.IRBuilder,
    function: ir.Function,
    family: Family,
    lane: Any,
    lanes: int,
    signs: tuple[bool, ...],
) -> None:
    """The loop over all pixels for some lanes of the channels."""
    *maps, one, other, parameters, codes, pixels, channels, bias = function.args[:9]
    terms = [
        loaded_channels(builder, term, channels, lane, lanes, _NO_LIMITS) for term in (one, other)
    ]
    limits = list(function.args[9:])
    channel = loaded_channels(builder, parameters, channels, lane, lanes, limits)
    added = Vector.repeated(builder, bias, lanes)
    with cgutils.for_range(builder, pixels) as loop:
        place = builder.add(builder.mul(loop.index, channels), lane)
        total = added
        for data, term, has_sign in zip(maps, terms, signs, strict=True):
            loaded = Vector.load(builder, builder.gep(data, [place]), lanes)
            total += rounded_away(loaded.widened(64, has_sign), term)
        family.formula(total, channel).store(builder.gep(codes, [place]))
