"""Machine code that sums up one output tile: steps in a loop, sums in vector registers.

Step by step, a tile multiplies the same few operands of each of its pixels by each of its
registers of weights. The loop nest is step → pixel → register, the two inner ones unrolled.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from hwsim.arithmetic._instruction_sets import INSTRUCTION_SETS, InstructionSet, Tile

_BYTE, _INT32, _INT64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def _accumulate_tile(
    _context: Any,
    instruction_set: Any,
    is_narrow: Any,
    sums: Any,
    bias: Any,
    operands: Any,
    pixel_stride: Any,
    weights: Any,
    offsets: Any,
) -> Any:
    """For kernels: the sums of one tile.

    Args:
        _context: Numba's; not given by callers.
        instruction_set: a constant, the place in `INSTRUCTION_SETS`.
        is_narrow: a constant, whether the tile is the narrow one.
        sums: int32 [pixels, registers·lanes], written.
        bias: int32 [registers·lanes], what sums start from.
        operands: bytes, from the first pixel's window on.
        pixel_stride: bytes between the windows of neighbouring pixels.
        weights: bytes [steps, registers, lanes, 4].
        offsets: int64 [steps], bytes from a pixel's window to the operands of each step; at least
            one step.
    """
    row = INSTRUCTION_SETS[instruction_set.literal_value]
    tile = row.narrow if is_narrow.literal_value else row.wide
    signature = types.void(
        instruction_set, is_narrow, sums, bias, operands, types.int64, weights, offsets
    )

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, values, strict=True)
            if isinstance(kind, types.Array)
        ]
        steps = builder.extract_value(arrays[-1].shape, 0)
        pointers = [builder.bitcast(array.data, _BYTE.as_pointer()) for array in arrays]
        function = _tile_function(builder.module, row, tile)
        builder.call(function, [*pointers, values[5], steps])
        return context.get_dummy_value()

    return signature, generate


accumulate_tile: Callable[..., None] = intrinsic(prefer_literal=True)(_accumulate_tile)


def _tile_function(module: ir.Module, row: InstructionSet, tile: Tile) -> Any:
    """The tile function of a module, emitted at its first use."""
    name = f"accumulate_tile_{tile.pixels}x{tile.registers}"
    if name in module.globals:
        return module.globals[name]
    arguments = [_BYTE.as_pointer()] * 5 + [_INT64] * 2
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), name)
    function.linkage = "internal"
    # Inlined into the loops around it, the sums would spill to memory.
    function.attributes.add("noinline")
    _emit_tile(function, row, tile)
    return function


def _emit_tile(function: ir.Function, row: InstructionSet, tile: Tile) -> None:
    """The body of a function (sums, bias, operands, weights, offsets, pixel_stride, steps)."""
    sums, bias, operands, weights, offsets, pixel_stride, steps = function.args
    entry, loop, end = (function.append_basic_block(name) for name in ("entry", "loop", "end"))
    register = ir.VectorType(_INT32, row.lanes)
    builder = ir.IRBuilder(entry)

    def slot(address: Any, index: Any) -> Any:
        return builder.gep(builder.bitcast(address, register.as_pointer()), [index])

    windows = [
        builder.gep(operands, [builder.mul(pixel_stride, _INT64(pixel))])
        for pixel in range(tile.pixels)
    ]
    initial = [builder.load(slot(bias, _INT64(i)), align=4) for i in range(tile.registers)]
    builder.branch(loop)

    builder.position_at_end(loop)
    step = builder.phi(_INT64)
    totals = [[builder.phi(register) for _ in initial] for _ in windows]
    offset = builder.load(builder.gep(builder.bitcast(offsets, _INT64.as_pointer()), [step]))
    first = builder.mul(step, _INT64(tile.registers))
    factors = [
        builder.load(slot(weights, builder.add(first, _INT64(i))), align=4)
        for i in range(tile.registers)
    ]
    advanced = []
    for window, pixel_totals in zip(windows, totals, strict=True):
        operand = _emit_broadcast(builder, builder.gep(window, [offset]), row.lanes)
        advanced.append(
            [
                row.emit(builder, total, operand, factor)
                for total, factor in zip(pixel_totals, factors, strict=True)
            ]
        )
    following = builder.add(step, _INT64(1))
    builder.cbranch(builder.icmp_signed("<", following, steps), loop, end)
    step.add_incoming(_INT64(0), entry)
    step.add_incoming(following, loop)
    for pixel_totals, pixel_advanced in zip(totals, advanced, strict=True):
        for total, start, after in zip(pixel_totals, initial, pixel_advanced, strict=True):
            total.add_incoming(start, entry)
            total.add_incoming(after, loop)

    builder.position_at_end(end)
    for index, total in enumerate(total for pixel in advanced for total in pixel):
        builder.store(total, slot(sums, _INT64(index)), align=4)
    builder.ret_void()


def _emit_broadcast(builder: ir.IRBuilder, address: Any, lanes: int) -> Any:
    """Four bytes from memory, repeated in every lane."""
    word = builder.load(builder.bitcast(address, _INT32.as_pointer()), align=1)
    empty = ir.Constant(ir.VectorType(_INT32, lanes), ir.Undefined)
    single = builder.insert_element(empty, word, _INT32(0))
    everywhere = ir.Constant(ir.VectorType(_INT32, lanes), [0] * lanes)
    return builder.shuffle_vector(single, empty, everywhere)
