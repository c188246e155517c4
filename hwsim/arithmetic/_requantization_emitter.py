"""Machine code from sums to codes: one formula per family of modes, on vectors of lanes.

A family's formula sees the sums of a few channels of one pixel and those channels' parameters. It
is emitted into one loop nest for all families, channels → pixel, so that parameters are loaded
once for all pixels; what is left of the channels goes through the same formula on fewer lanes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hwsim.arithmetic._vectors import Vector

ROWS = 8
BIAS, MULTIPLIER, SHIFT, ORIGIN, OFFSET, CORRECTION, LEFT_SHIFT, DESTINATION_SCALE = range(ROWS)
"""Rows of a kernel's per-channel parameters, int64 [ROWS, channels]."""

_TO_INTEGER = 3.0 * 2**22
"""Adding and subtracting it rounds a float32 of up to 2^22 in magnitude to an integer."""

_INT64 = ir.IntType(64)


@dataclass(frozen=True, slots=True)
class Channels:
    """Parameters of a few channels, each a vector of int64; the limits are the same in all."""

    multiplier: Vector
    shift: Vector
    origin: Vector
    offset: Vector
    correction: Vector
    left_shift: Vector
    destination_scale: Vector
    zero_point: Vector
    low: Vector
    high: Vector

    def code(self, quotient: Vector) -> Vector:
        """A rounded quotient moved by the zero point and clamped."""
        return (quotient + self.zero_point).clamp(self.low, self.high)


def _offset_only(total: Vector, channel: Channels) -> Vector:
    return channel.code((total * channel.multiplier + channel.offset) >> channel.shift)


def rounded_away(total: Vector, channel: Channels) -> Vector:
    """The quotient of a sum that may be corrected where it is negative."""
    product = total * channel.multiplier + channel.origin
    corrected = product + channel.offset + ((product >> 63) & channel.correction)
    return corrected >> channel.shift


def _correct_negative(total: Vector, channel: Channels) -> Vector:
    return channel.code(rounded_away(total, channel))


def _correct_odd(total: Vector, channel: Channels) -> Vector:
    product = total * channel.multiplier + channel.origin
    corrected = product + channel.offset + ((product >> channel.shift) & channel.correction)
    return channel.code(corrected >> channel.shift)


def _two_roundings(total: Vector, channel: Channels) -> Vector:
    wrapped = (total << (channel.left_shift + 32)) >> 32
    upper = (wrapped * channel.multiplier + channel.origin) >> 31
    corrected = upper + channel.offset + ((upper >> 63) & channel.correction)
    return channel.code(corrected >> channel.shift)


def _float_scale(total: Vector, channel: Channels) -> Vector:
    zero_point = channel.zero_point.to_integers(32)
    least = (channel.low - channel.zero_point).to_floats()
    greatest = (channel.high - channel.zero_point).to_floats()
    scaled = total.to_integers(32).to_floats() * channel.multiplier.as_floats()
    nearest = (scaled.clamp(least, greatest) + _TO_INTEGER) - _TO_INTEGER
    return nearest.to_integers(32) + zero_point


def _two_float_scales(total: Vector, channel: Channels) -> Vector:
    scaled = total.to_integers(32).to_floats() * channel.multiplier.as_floats()
    moved = scaled * channel.destination_scale.as_floats() + channel.zero_point.to_floats()
    clamped = moved.clamp(channel.low.to_floats(), channel.high.to_floats())
    return ((clamped + _TO_INTEGER) - _TO_INTEGER).to_integers(32)


@dataclass(frozen=True, slots=True)
class Family:
    """Modes of one formula.

    Attributes:
        formula: from sums, int64, to codes, int64 or int32.
        lanes: channels at a time, most first, down to 1; of 32 bits twice as many fit a register.
    """

    formula: Callable[[Vector, Channels], Vector]
    lanes: tuple[int, ...]


_INTEGER_LANES, _FLOAT_LANES = (8, 1), (16, 8, 1)

FAMILIES = (
    Family(_offset_only, _INTEGER_LANES),
    Family(_correct_negative, _INTEGER_LANES),
    Family(_correct_odd, _INTEGER_LANES),
    Family(_two_roundings, _INTEGER_LANES),
    Family(_float_scale, _FLOAT_LANES),
    Family(_two_float_scales, _FLOAT_LANES),
)

OFFSET_ONLY, CORRECT_NEGATIVE, CORRECT_ODD, TWO_ROUNDINGS, FLOAT_SCALE, TWO_FLOAT_SCALES = range(
    len(FAMILIES)
)


def _requantize(
    _context: Any,
    sums: Any,
    stride: Any,
    parameters: Any,
    first: Any,
    codes: Any,
    place: Any,
    channels: Any,
    family: Any,
    zero_point: Any,
    low: Any,
    high: Any,
) -> Any:
    """For kernels: as `hwsim.arithmetic._kernels_requantization.requantize` says."""
    count = types.int64
    signature = types.void(sums, count, parameters, count, codes, *[count] * 6)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> Any:
        arrays = {
            place: context.make_array(signature.args[place])(context, builder, values[place])
            for place in (0, 2, 4)
        }
        parameter_stride = builder.extract_value(arrays[2].shape, 1)
        pixels, depth = (builder.extract_value(arrays[4].shape, axis) for axis in range(2))
        arguments = [
            arrays[0].data,
            values[1],
            builder.gep(arrays[2].data, [values[3]]),
            parameter_stride,
            builder.gep(arrays[4].data, [values[5]]),
            depth,
            pixels,
            *values[6:7],
            *values[8:],
        ]
        has_sign = signature.args[0].dtype.signed

        def function_of(family: Family) -> Any:
            return _function(builder.module, family, arguments, has_sign)

        call_of_family(builder, values[7], function_of, arguments)
        return context.get_dummy_value()

    return signature, generate


emitted_requantize: Callable[..., None] = intrinsic(_requantize)


def call_of_family(
    builder: ir.IRBuilder, number: Any, function_of: Callable[[Family], Any], arguments: list[Any]
) -> None:
    """Call the function of the family that has a number at run time."""
    end = builder.append_basic_block("requantized")
    switch = builder.switch(number, end)
    for place, family in enumerate(FAMILIES):
        chosen = builder.append_basic_block(family.formula.__name__)
        switch.add_case(_INT64(place), chosen)
        builder.position_at_end(chosen)
        builder.call(function_of(family), arguments)
        builder.branch(end)
    builder.position_at_end(end)


def function_named(
    module: ir.Module, name: str, arguments: list[Any], emit: Callable[[ir.Function], None]
) -> Any:
    """A function of a module, emitted at its first use."""
    if name not in module.globals:
        shape = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        function = ir.Function(module, shape, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        emit(function)
    return module.globals[name]


def name_of(kind: Any, has_sign: bool) -> str:
    """An integer type in a function's name."""
    return f"{'i' if has_sign else 'u'}{kind.width}"


def _function(module: ir.Module, family: Family, arguments: list[Any], has_sign: bool) -> Any:
    """The function of a family for sums and codes of some types."""
    sums, codes = arguments[0].type.pointee, arguments[4].type.pointee
    name = f"requantize{family.formula.__name__}_{name_of(sums, has_sign)}_{codes}"

    def emit(function: ir.Function) -> None:
        def emit_pixels(builder: ir.IRBuilder, lane: Any, lanes: int) -> None:
            _emit_pixels(builder, function, family.formula, lane, lanes, has_sign)

        emit_lanes(function, function.args[7], family.lanes, emit_pixels)

    return function_named(module, name, arguments, emit)


def emit_lanes(
    function: ir.Function,
    channels: Any,
    lanes: tuple[int, ...],
    emit_pixels: Callable[[ir.IRBuilder, Any, int], None],
) -> None:
    """The loops over all channels: as many as possible at a time, then fewer for the rest.

    Args:
        function: empty; its body is the loops.
        channels: how many.
        lanes: as of a `Family`.
        emit_pixels: (builder, first channel, lanes): emits the loop over pixels of some channels.
    """
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    done: Any = _INT64(0)
    for count in lanes:
        steps = builder.sdiv(builder.sub(channels, done), _INT64(count))
        with cgutils.for_range(builder, steps) as loop:
            lane = builder.add(done, builder.mul(loop.index, _INT64(count)))
            emit_pixels(builder, lane, count)
        done = builder.add(done, builder.mul(steps, _INT64(count)))
    builder.ret_void()


def loaded_channels(
    builder: ir.IRBuilder, parameters: Any, stride: Any, lane: Any, lanes: int, limits: list[Any]
) -> Channels:
    """Some channels' parameters in registers.

    Args:
        builder: adds the instructions.
        parameters: the address of [ROWS, channels].
        stride: channels of a row.
        lane: the first channel.
        lanes: how many.
        limits: zero point, least and greatest code.
    """

    def parameter(row: int) -> Vector:
        place = builder.add(builder.mul(stride, _INT64(row)), lane)
        return Vector.load(builder, builder.gep(parameters, [place]), lanes)

    return Channels(
        # Of at most 32 bits; saying so halves the work of a product.
        parameter(MULTIPLIER).to_integers(32).to_integers(64),
        *(
            parameter(row)
            for row in (SHIFT, ORIGIN, OFFSET, CORRECTION, LEFT_SHIFT, DESTINATION_SCALE)
        ),
        *(Vector.repeated(builder, limit, lanes) for limit in limits),
    )


def _emit_pixels(
    builder: ir.IRBuilder,
    function: ir.Function,
    formula: Callable[[Vector, Channels], Vector],
    lane: Any,
    lanes: int,
    has_sign: bool,
) -> None:
    """The loop over all pixels for some lanes of the channels."""
    sums, stride, parameters, parameter_stride, codes, depth, pixels, _, *limits = function.args
    channel = loaded_channels(builder, parameters, parameter_stride, lane, lanes, limits)
    with cgutils.for_range(builder, pixels) as loop:
        place = builder.add(builder.mul(loop.index, stride), lane)
        total = Vector.load(builder, builder.gep(sums, [place]), lanes)
        code = formula(total.widened(64, has_sign), channel)
        place = builder.add(builder.mul(loop.index, depth), lane)
        code.store(builder.gep(codes, [place]))
