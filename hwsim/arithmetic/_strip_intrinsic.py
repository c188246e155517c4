"""The function for kernels that sums up a strip with an instruction set."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from hwsim.arithmetic._instruction_sets import TABLE, InstructionSet
from hwsim.arithmetic._strips import BYTE, INT64, Strip, Tile


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
        instruction_set: a constant, the place in `hwsim.arithmetic._instruction_sets.TABLE`.
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
    row = TABLE[instruction_set.literal_value]
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
        pointers = [builder.bitcast(array.data, BYTE.as_pointer()) for array in arrays]
        arguments = [*pointers, values[5], steps, values[8]]
        is_narrow = builder.icmp_signed("==", values[1], INT64(row.narrow.registers))
        with builder.if_else(is_narrow) as branches:
            for branch, tile in zip(branches, (row.narrow, row.wide), strict=True):
                with branch:
                    builder.call(strip_function(builder.module, row, tile), arguments)
        return context.get_dummy_value()

    return signature, generate


accumulate_strip: Callable[..., None] = intrinsic(prefer_literal=True)(_accumulate_strip)


def strip_function(module: ir.Module, row: InstructionSet, tile: Tile) -> Any:
    """The function of a module for a kind of tile, emitted at its first use."""
    name = f"accumulate_strip_{tile.pixels}x{tile.registers}"
    if name not in module.globals:
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), Strip.TYPES), name)
        function.linkage = "internal"
        # Inlined into the loops around it, the sums would spill to memory.
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        row.emit_strip(builder, Strip(*function.args), row.lanes, tile)
        builder.ret_void()
    return module.globals[name]
