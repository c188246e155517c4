"""Machine code that sums up a strip of output tiles: sums in vector registers, step by step.

A tile is a few neighbouring pixels by a few registers of output channels. Each step multiplies the
same few operands of each pixel by each register of weights; the loop nest is

    tile → step → pixel → register

with the two inner loops unrolled.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hwsim.arithmetic._instruction_sets import INSTRUCTION_SETS, InstructionSet, Tile
from hwsim.arithmetic._vectors import Vector

_BYTE, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def _accumulate_strip(
    _context: Any,
    instruction_set: Any,
    registers: Any,
    sums: Any,
    bias: Any,
    operands: Any,
    pixel_stride: Any,
    weights: Any,
    offsets: Any,
    columns: Any,
) -> Any:
    """For kernels: the sums of some neighbouring pixels.

    Args:
        _context: Numba's; not given by callers.
        instruction_set: a constant, the place in `INSTRUCTION_SETS`.
        registers: of output channels, as many as the wide or the narrow tile has.
        sums: int32 [columns, registers, lanes], written, and up to a tile's pixels more.
        bias: int32 [registers, lanes], what sums start from.
        operands: bytes, from the first pixel's window on.
        pixel_stride: bytes between the windows of neighbouring pixels.
        weights: [steps, registers, lanes, taps].
        offsets: int64 [steps], bytes from a pixel's window to the operands of each step; at least
            one step.
        columns: how many pixels.
    """
    row = INSTRUCTION_SETS[instruction_set.literal_value]
    count = types.int64
    signature = types.void(
        instruction_set, count, sums, bias, operands, count, weights, offsets, count
    )

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, values, strict=True)
            if isinstance(kind, types.Array)
        ]
        steps = builder.extract_value(arrays[-1].shape, 0)
        pointers = [builder.bitcast(array.data, _BYTE.as_pointer()) for array in arrays]
        arguments = [*pointers, values[5], steps, values[8]]
        is_narrow = builder.icmp_signed("==", values[1], _INT64(row.narrow.registers))
        with builder.if_else(is_narrow) as branches:
            for branch, tile in zip(branches, (row.narrow, row.wide), strict=True):
                with branch:
                    builder.call(_strip_function(builder.module, row, tile), arguments)
        return context.get_dummy_value()

    return signature, generate


accumulate_strip: Callable[..., None] = intrinsic(prefer_literal=True)(_accumulate_strip)


def _strip_function(module: ir.Module, row: InstructionSet, tile: Tile) -> Any:
    """The function of a module for a kind of tile, emitted at its first use."""
    name = f"accumulate_strip_{tile.pixels}x{tile.registers}"
    if name not in module.globals:
        arguments = [_BYTE.as_pointer()] * 5 + [_INT64] * 3
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), name)
        function.linkage = "internal"
        # Inlined into the loops around it, the sums would spill to memory.
        function.attributes.add("noinline")
        _emit_strip(function, row, tile)
    return module.globals[name]


def _emit_strip(function: ir.Function, row: InstructionSet, tile: Tile) -> None:
    """The loop over the tiles that cover the columns."""
    sums, bias, operands, weights, offsets, pixel_stride, steps, columns = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    offsets = builder.bitcast(offsets, _INT64.as_pointer())
    sums, bias, weights = (builder.bitcast(p, _INT32.as_pointer()) for p in (sums, bias, weights))
    register_lanes = [register * row.lanes for register in range(tile.registers)]
    tile_sums = tile.pixels * tile.registers * row.lanes

    def lanes(words: Any, first: Any) -> list[Any]:
        """Registers of 32-bit words from a place on."""
        places = [builder.add(first, _INT64(lane)) for lane in register_lanes]
        return [Vector.load(builder, builder.gep(words, [p]), row.lanes).value for p in places]

    tiles = builder.sdiv(builder.add(columns, _INT64(tile.pixels - 1)), _INT64(tile.pixels))
    with cgutils.for_range(builder, tiles) as loop:
        first_pixel = builder.mul(loop.index, _INT64(tile.pixels))
        window = builder.gep(operands, [builder.mul(first_pixel, pixel_stride)])
        windows = [
            builder.gep(window, [builder.mul(pixel_stride, _INT64(pixel))])
            for pixel in range(tile.pixels)
        ]
        initial = lanes(bias, _INT64(0)) * tile.pixels

        def step(number: Any, totals: list[Any]) -> list[Any]:
            offset = builder.load(builder.gep(offsets, [number]))
            factors = lanes(weights, builder.mul(number, _INT64(tile.registers * row.lanes)))
            following = []
            for pixel, window in enumerate(windows):
                place = builder.bitcast(builder.gep(window, [offset]), _INT32.as_pointer())
                operand = Vector.repeated(builder, builder.load(place, align=1), row.lanes).value
                own = totals[pixel * tile.registers : (pixel + 1) * tile.registers]
                following += [
                    row.emit(builder, total, operand, factor)
                    for total, factor in zip(own, factors, strict=True)
                ]
            return following

        totals = _emit_loop(builder, steps, initial, step)
        first_sum = builder.mul(loop.index, _INT64(tile_sums))
        for register, total in enumerate(totals):
            place = builder.add(first_sum, _INT64(register * row.lanes))
            Vector(builder, total).store(builder.gep(sums, [place]))
    builder.ret_void()


def _emit_loop(
    builder: ir.IRBuilder,
    count: Any,
    initial: list[Any],
    body: Callable[[Any, list[Any]], list[Any]],
) -> list[Any]:
    """A loop of at least one round that carries values in registers; their last state."""
    entry = builder.block
    loop, end = (builder.append_basic_block(name) for name in ("steps", "summed"))
    builder.branch(loop)
    builder.position_at_end(loop)
    number = builder.phi(_INT64)
    carried = [builder.phi(value.type) for value in initial]
    advanced = body(number, carried)
    following = builder.add(number, _INT64(1))
    builder.cbranch(builder.icmp_signed("<", following, count), loop, end)
    for value, start, after in zip(
        [number, *carried], [_INT64(0), *initial], [following, *advanced], strict=True
    ):
        value.add_incoming(start, entry)
        value.add_incoming(after, loop)
    builder.position_at_end(end)
    return advanced
