"""Convolution with 16-bit operands and 32-bit accumulators, requantized tile by tile.

An output tile is `PIXELS` neighbours in a row by one or two groups of `LANES` output channels; its
accumulators stay in vector registers while a kernel row's taps pass by, two at a time. Kernel row
``ky`` of a pixel reads KW·I consecutive operands, so the loop nest is

    output row → pair of channel groups → tile → kernel row → pair of taps → pixel → group

and the step at its heart multiplies pairs of 16-bit operands and adds each pair's products into a
32-bit lane: ``vpmaddwd`` with AVX2, the same arithmetic in generic vector code elsewhere.

The last tile of a row may reach past it: operands are stored with `PIXELS` pixels to spare, and
accumulators of pixels outside the row are not stored.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from hwsim.arithmetic._jit import Codes, Wide, kernel
from hwsim.arithmetic._kernels_requantization import BIAS, requantize

LANES = 8
PIXELS = 4

_INT16, _INT32, _INT64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_OPERANDS = ir.VectorType(_INT16, 2 * LANES)
_SUMS = ir.VectorType(_INT32, LANES)


def _has_avx2(context: Any) -> bool:
    """Whether the processor Numba compiles for has AVX2, which NUMBA_CPU_FEATURES can deny."""
    _triple, _processor, features = context.codegen().magic_tuple()
    return "+avx2" in features.split(",")


def _emit_pair_products(builder: ir.IRBuilder, left: Any, right: Any, avx2: bool) -> Any:
    """Lane i: left[2i]·right[2i] + left[2i+1]·right[2i+1], in 32 bits."""
    if avx2:
        signature = ir.FunctionType(_SUMS, [_OPERANDS, _OPERANDS])
        instruction = builder.module.declare_intrinsic("llvm.x86.avx2.pmadd.wd", (), signature)
        return builder.call(instruction, [left, right])
    products = []
    for first in range(2):
        chosen = ir.Constant(ir.VectorType(_INT32, LANES), list(range(first, 2 * LANES, 2)))
        factors = [
            builder.sext(builder.shuffle_vector(vector, vector, chosen), _SUMS)
            for vector in (left, right)
        ]
        products.append(builder.mul(*factors))
    return builder.add(*products)


def _emit_broadcast_pair(builder: ir.IRBuilder, address: Any) -> Any:
    """Two neighbouring operands from memory, repeated in every lane."""
    pair = builder.load(builder.bitcast(address, _INT32.as_pointer()), align=2)
    empty = ir.Constant(_SUMS, ir.Undefined)
    single = builder.insert_element(empty, pair, _INT32(0))
    everywhere = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)
    return builder.bitcast(builder.shuffle_vector(single, empty, everywhere), _OPERANDS)


def _emit_step(
    builder: ir.IRBuilder, pair: Any, operands: list[Any], weights: list[Any], avx2: bool
) -> list[Any]:
    """The products of one pair of taps, for each pixel's operands and each group's weights."""
    operand_offset = builder.mul(pair, _INT64(2))
    weight_offset = builder.mul(pair, _INT64(2 * LANES))
    factors = [
        builder.load(
            builder.bitcast(builder.gep(group, [weight_offset]), _OPERANDS.as_pointer()), align=2
        )
        for group in weights
    ]
    products = []
    for pixel in operands:
        operand = _emit_broadcast_pair(builder, builder.gep(pixel, [operand_offset]))
        products += [_emit_pair_products(builder, operand, factor, avx2) for factor in factors]
    return products


def _emit_tile(function: ir.Function, groups: int, avx2: bool) -> None:
    """The body of a function (sums, operands, pixel_stride, weights, group_stride, pairs)."""
    sums, operands, pixel_stride, weights, group_stride, pairs = function.args
    entry, loop, end = (function.append_basic_block(name) for name in ("entry", "loop", "end"))
    builder = ir.IRBuilder(entry)

    def starts(first: Any, stride: Any, count: int) -> list[Any]:
        return [builder.gep(first, [builder.mul(stride, _INT64(i))]) for i in range(count)]

    pixel_operands = starts(operands, pixel_stride, PIXELS)
    group_weights = starts(weights, group_stride, groups)
    slots = starts(builder.bitcast(sums, _SUMS.as_pointer()), _INT64(1), PIXELS * groups)
    initial = [builder.load(slot, align=4) for slot in slots]
    builder.branch(loop)

    builder.position_at_end(loop)
    pair = builder.phi(_INT64)
    totals = [builder.phi(_SUMS) for _ in slots]
    products = _emit_step(builder, pair, pixel_operands, group_weights, avx2)
    advanced = [builder.add(*terms) for terms in zip(totals, products, strict=True)]
    following = builder.add(pair, _INT64(1))
    builder.cbranch(builder.icmp_signed("<", following, pairs), loop, end)
    for value, start, after in zip(
        [pair, *totals], [_INT64(0), *initial], [following, *advanced], strict=True
    ):
        value.add_incoming(start, entry)
        value.add_incoming(after, loop)

    builder.position_at_end(end)
    for slot, total in zip(slots, advanced, strict=True):
        builder.store(total, slot, align=4)
    builder.ret_void()


def _tile_function(module: ir.Module, shape: ir.FunctionType, groups: int, avx2: bool) -> Any:
    """The tile function of a module, emitted at its first use."""
    name = f"accumulate_tile_{groups}"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, shape, name)
    function.linkage = "internal"
    # Inlined into the loops around it, the accumulators would spill to memory.
    function.attributes.add("noinline")
    _emit_tile(function, groups, avx2)
    return function


def _tile_accumulator(groups: int) -> Callable[..., None]:
    """A function for kernels that adds one kernel row's products to a tile's accumulators.

    Its arguments: ``sums`` int32 [PIXELS, groups, LANES], updated; ``operands`` int16 from the
    tile's first tap on; ``pixel_stride``, operands between neighbouring pixels; ``weights`` int16
    from the first group's first pair on; ``group_stride``, weights between groups; ``pairs`` of
    taps, at least one.
    """

    def accumulate_tile(
        _context: Any,
        sums: Any,
        operands: Any,
        pixel_stride: Any,
        weights: Any,
        group_stride: Any,
        pairs: Any,
    ) -> Any:
        count = types.int64
        signature = types.void(sums, operands, count, weights, count, count)

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> Any:
            arguments = [
                context.make_array(kind)(context, builder, value).data
                if isinstance(kind, types.Array)
                else value
                for kind, value in zip(signature.args, values, strict=True)
            ]
            shape = ir.FunctionType(ir.VoidType(), [value.type for value in arguments])
            avx2 = _has_avx2(context)
            builder.call(_tile_function(builder.module, shape, groups, avx2), arguments)
            return context.get_dummy_value()

        return signature, generate

    return intrinsic(accumulate_tile)


_accumulate_one_group = _tile_accumulator(1)
_accumulate_two_groups = _tile_accumulator(2)


@kernel
def pack_pairs(weight: Codes) -> NDArray[np.int16]:
    """Weights in the order the tiles read them.

    Args:
        weight: int32 [O, KH, T], the T = KW·I taps of each kernel row.

    Returns:
        int16 [⌈O / LANES⌉, KH, ⌈T / 2⌉, 2·LANES], lane by lane a pair of taps, zero where there
        is no channel or no tap.
    """
    channels, kernel_rows, taps = weight.shape
    groups = (channels + LANES - 1) // LANES
    packed = np.zeros((groups, kernel_rows, (taps + 1) // 2, 2 * LANES), np.int16)
    for channel in range(channels):
        group, lane = channel // LANES, channel % LANES
        for row in range(kernel_rows):
            for tap in range(taps):
                packed[group, row, tap // 2, 2 * lane + tap % 2] = weight[channel, row, tap]
    return packed


@kernel
def _narrow(ifm: Codes, operands: NDArray[np.int16]) -> tuple[int, int]:
    """Copy codes to 16 bits; the least and the greatest of them."""
    codes = ifm.reshape(-1)
    least = greatest = codes[0]
    for index in range(codes.size):
        code = codes[index]
        least = min(least, code)
        greatest = max(greatest, code)
        operands[index] = code
    return least, greatest


@kernel
def _store_tile(
    sums: Codes,
    lanes: int,
    parameters: Wide,
    first_channel: int,
    family: int,
    zero_point: int,
    low: int,
    high: int,
    pixels: Codes,
) -> None:
    """Requantize a tile's accumulators, ``lanes`` a pixel, into ``pixels`` [columns, O]."""
    columns = min(PIXELS, pixels.shape[0])
    channels = min(lanes, pixels.shape[1] - first_channel)
    for column in range(columns):
        codes = pixels[column, first_channel : first_channel + channels]
        totals = sums[column * lanes :]
        requantize(totals, parameters, first_channel, family, zero_point, low, high, codes)


@kernel
def _accumulate_tile(
    sums: Codes,
    operands: NDArray[np.int16],
    row_stride: int,
    pixel_stride: int,
    weights: NDArray[np.int16],
    group: int,
    groups: int,
) -> None:
    """Add all products of one or two channel groups, from the tile's first operand on."""
    kernel_rows, pairs = weights.shape[1:3]
    group_stride = kernel_rows * pairs * 2 * LANES
    for kernel_row in range(kernel_rows):
        row = operands[kernel_row * row_stride :]
        factors = weights[group, kernel_row]
        if groups == 2:
            _accumulate_two_groups(sums, row, pixel_stride, factors, group_stride, pairs)
        else:
            _accumulate_one_group(sums, row, pixel_stride, factors, group_stride, pairs)


@kernel
def convolve(
    ifm: Codes,
    weights: NDArray[np.int16],
    parameters: Wide,
    input_low: int,
    input_high: int,
    family: int,
    zero_point: int,
    low: int,
    high: int,
    ofm: Codes,
) -> bool:
    """Convolve and requantize rows; arguments as `hwsim.arithmetic.convolution` says.

    ``weights`` come from `pack_pairs` and ``parameters`` are padded to whole groups.
    """
    rows, columns, _ = ofm.shape
    _, width, pixel_stride = ifm.shape
    row_stride = width * pixel_stride
    operands = np.empty(ifm.size + PIXELS * pixel_stride + 1, np.int16)
    least, greatest = _narrow(ifm, operands)
    if least < input_low or greatest > input_high:
        return False
    sums = np.empty(PIXELS * 2 * LANES, np.int32)
    for row in range(rows):
        for group in range(0, weights.shape[0], 2):
            groups = min(2, weights.shape[0] - group)
            lanes, channel = groups * LANES, group * LANES
            for column in range(0, columns, PIXELS):
                for pixel in range(PIXELS):
                    for lane in range(lanes):
                        sums[pixel * lanes + lane] = parameters[BIAS, channel + lane]
                seen = operands[row * row_stride + column * pixel_stride :]
                _accumulate_tile(sums, seen, row_stride, pixel_stride, weights, group, groups)
                pixels = ofm[row, column:]
                _store_tile(sums, lanes, parameters, channel, family, zero_point, low, high, pixels)
    return True
