"""Machine code that packs and unpacks codes, `LANES` at a time in vector registers.

Code i of a vector of codes of some bits begins in byte i·bits // 8, i·bits % 8 bits up, and of the
widths that come here none reaches beyond the byte behind that. So a register of 16-bit lanes holds
two bytes of memory for each code: reading picks them, shifts and masks; writing shifts, and puts
together what falls into the same byte.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hwsim.arithmetic._vectors import Vector

LANES = 32
WIDTHS = (1, 2, 4, 8, 12, 16)
"""Of codes that lie in two bytes wherever they begin, and that machines use."""

_BYTE, _LANE, _WIDE, _COUNT = (ir.IntType(bits) for bits in (8, 16, 32, 64))


def _constant(element: Any, numbers: list[int]) -> Any:
    return ir.Constant(ir.VectorType(element, len(numbers)), numbers)


def _repeated(builder: ir.IRBuilder, scalar: Any, element: Any) -> Any:
    """The low bits of an integer in every lane."""
    return Vector.repeated(builder, builder.trunc(scalar, element), LANES).value


def _resized(builder: ir.IRBuilder, lanes: Any, element: Any, signed: bool) -> Any:
    """Lanes of another width: cut off, or extended."""
    kind = ir.VectorType(element, LANES)
    if element.width <= lanes.type.element.width:
        return lanes if element == lanes.type.element else builder.trunc(lanes, kind)
    return (builder.sext if signed else builder.zext)(lanes, kind)


def _vector_at(builder: ir.IRBuilder, data: Any, first: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(data, [first]), kind.as_pointer())


def _emit_unpacked(builder: ir.IRBuilder, octets: Any, bits: int) -> Any:
    """The codes that 4·bits bytes hold, in 16-bit lanes."""
    begin = [lane * bits for lane in range(LANES)]
    last = octets.type.count - 1
    places = [min(bit // 8 + byte, last) for bit in begin for byte in (0, 1)]
    pairs = builder.shuffle_vector(octets, octets, _constant(_WIDE, places))
    lanes = builder.bitcast(pairs, ir.VectorType(_LANE, LANES))
    shifted = builder.lshr(lanes, _constant(_LANE, [bit % 8 for bit in begin]))
    return builder.and_(shifted, _constant(_LANE, [(1 << bits) - 1] * LANES))


def _emit_packed(builder: ir.IRBuilder, codes: Any, bits: int) -> Any:
    """The 4·bits bytes of codes whose low bits stand in 16-bit lanes."""
    begin = [lane * bits for lane in range(LANES)]
    masked = builder.and_(codes, _constant(_LANE, [(1 << bits) - 1] * LANES))
    shifted = builder.shl(masked, _constant(_LANE, [bit % 8 for bit in begin]))
    pairs = builder.bitcast(shifted, ir.VectorType(_BYTE, 2 * LANES))
    nothing = _constant(_BYTE, [0] * (2 * LANES))
    size = LANES * bits // 8
    # Which bytes of pairs fall into each byte of memory; where one has fewer, nothing.
    shares = [
        [
            2 * lane + byte - begin[lane] // 8
            for lane in range(8 * byte // bits, LANES)
            if begin[lane] < 8 * byte + 8
        ]
        for byte in range(size)
    ]
    packed = _constant(_BYTE, [0] * size)
    for share in range(max(map(len, shares))):
        places = [own[share] if share < len(own) else 2 * LANES for own in shares]
        part = builder.shuffle_vector(pairs, nothing, _constant(_WIDE, places))
        packed = builder.or_(packed, part)
    return packed


def _unpack(
    _context: Any,
    bits: Any,
    source: Any,
    chunks: Any,
    flip: Any,
    origin: Any,
    halving: Any,
    values: Any,
) -> Any:
    """For kernels: codes from memory.

    Args:
        _context: Numba's; not given by callers.
        bits: a constant, one of `WIDTHS`.
        source: uint8, from the first code on.
        chunks: how many times `LANES` codes.
        flip: turned over in each code.
        origin: subtracted from each value.
        halving: by how many bits a code is shifted up to its value.
        values: written.
    """
    width, count = bits.literal_value, types.int64
    signature = types.void(bits, source, count, count, count, count, values)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        octets, codes = (
            context.make_array(signature.args[place])(context, builder, arguments[place]).data
            for place in (1, 6)
        )
        element = codes.type.pointee
        lane = _WIDE if element.width > _LANE.width else _LANE
        turned, least, up = (_repeated(builder, number, lane) for number in arguments[3:6])
        size = LANES * width // 8
        with cgutils.for_range(builder, arguments[2]) as loop:
            first = builder.mul(loop.index, _COUNT(size))
            place = _vector_at(builder, octets, first, ir.VectorType(_BYTE, size))
            stored = _emit_unpacked(builder, builder.load(place, align=1), width)
            code = builder.xor(_resized(builder, stored, lane, signed=False), turned)
            value = builder.sub(builder.shl(code, up), least)
            first = builder.mul(loop.index, _COUNT(LANES))
            place = _vector_at(builder, codes, first, ir.VectorType(element, LANES))
            builder.store(_resized(builder, value, element, signed=False), place, align=1)
        return context.get_dummy_value()

    return signature, generate


def _pack(
    _context: Any,
    bits: Any,
    halving: Any,
    values: Any,
    chunks: Any,
    origin: Any,
    target: Any,
) -> Any:
    """For kernels: codes to memory.

    Args:
        _context: Numba's; not given by callers.
        bits: a constant, one of `WIDTHS`.
        halving: a constant; 1 where a code is half of what a value lies above the origin, 0 where
            it is the value's low bits.
        values: from the first on.
        chunks: how many times `LANES` codes.
        origin: added to values before they are halved.
        target: uint8, written.
    """
    width, halves, count = bits.literal_value, halving.literal_value, types.int64
    signature = types.void(bits, halving, values, count, count, target)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        codes, octets = (
            context.make_array(signature.args[place])(context, builder, arguments[place]).data
            for place in (2, 5)
        )
        signed, element = signature.args[2].dtype.signed, codes.type.pointee
        least, size = _repeated(builder, arguments[4], _WIDE), LANES * width // 8
        with cgutils.for_range(builder, arguments[3]) as loop:
            first = builder.mul(loop.index, _COUNT(LANES))
            place = _vector_at(builder, codes, first, ir.VectorType(element, LANES))
            value = builder.load(place, align=1)
            if halves:
                moved = builder.add(_resized(builder, value, _WIDE, signed), least)
                value = builder.lshr(moved, _constant(_WIDE, [1] * LANES))
            lanes = _resized(builder, value, _LANE, signed)
            first = builder.mul(loop.index, _COUNT(size))
            place = _vector_at(builder, octets, first, ir.VectorType(_BYTE, size))
            builder.store(_emit_packed(builder, lanes, width), place, align=1)
        return context.get_dummy_value()

    return signature, generate


emitted_unpack: Callable[..., None] = intrinsic(prefer_literal=True)(_unpack)
emitted_pack: Callable[..., None] = intrinsic(prefer_literal=True)(_pack)
