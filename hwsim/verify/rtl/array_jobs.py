"""A matrix product as a job for the Verilog of an array: its streams and its settings."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from accelerators.datapaths.composable import Composable
from accelerators.datapaths.interface import folds
from accelerators.datapaths.kinds import datapath_of
from accelerators.datapaths.output_grid import OutputGrid
from accelerators.datapaths.stationary_grid import StationaryGrid
from accelerators.rtl import parameters as rtl
from accelerators.schema import Array
from hwsim.verify.rtl.array_design import code_places, codes_stream
from hwsim.verify.rtl.outcome import Job
from hwsim.verify.rtl.words import Words, pack
from hwsim.verify.stepped.arrays import Product
from hwsim.verify.stepped.digits import laid_out, layout

Wide = NDArray[np.int64]
Streams = dict[str, Words]
Settings = dict[str, int]

_SCALE_FIELDS = (rtl.BIAS_BITS, rtl.MULTIPLIER_BITS, rtl.SHIFT_BITS, *(rtl.CODE_BITS,) * 3)
"""Widths of bias, multiplier, shift, zero point, lowest and highest code."""

_DIGIT_SETTINGS = ("weight_digits", "activation_digits", "held_slices", "stream_slices")


def array_job(array: Array, product: Product, stall_seed: int | None = None) -> Job:
    """A product as the streams and settings of `array_design`'s module.

    Args:
        array: the array.
        product: operands and scales.
        stall_seed: as in `Job`.
    """
    datapath = datapath_of(array)
    if isinstance(datapath, OutputGrid):
        streams, settings = _output_streams(datapath, product)
    else:
        streams, settings = _stationary_streams(cast(StationaryGrid, datapath), product)
    codes = int(code_places(array, product.work).shape[1])
    items = sum(len(words) for words in streams.values())
    digits = [settings.get(name, 1) for name in _DIGIT_SETTINGS]
    return Job(
        streams,
        dict.fromkeys(codes_stream(array).lane_names, codes),
        # Far more than it takes, stalls and drains included: a job that hangs comes to an end.
        limit_cycles=4 * (items * int(np.prod(digits)) + codes + array.rows) + 256,
        settings=settings,
        stall_seed=stall_seed,
    )


def _output_streams(grid: OutputGrid, product: Product) -> tuple[Streams, Settings]:
    """For each tile of each block of channels, step by step, what every row and column gets."""
    array, work = grid.array, product.work
    places = layout(work, grid.lanes(work.weight_bits), array.lanes, array.kernel_taps)
    activations = _tiles(laid_out(product.activations, places), array.rows)
    weights = _tiles(laid_out(product.weights.T, places), array.columns)
    blocks, tiles = len(weights), len(activations)
    items = rtl.item_bits(array)
    every_activation = np.concatenate([activations] * blocks)
    every_weight = np.repeat(weights, tiles, axis=0)
    return {
        "scales": scale_words(_padded(product.scales, 0, array.columns)),
        "activations": _steps(every_activation, items.of_rows),
        "weights": _steps(every_weight, items.of_columns),
    }, {
        "tiles": blocks * tiles,
        "pixel_tiles": tiles,
        "steps": len(places),
        "weight_digits": grid.passes(work.weight_bits, 1, work.weight_terms),
        "activation_digits": grid.passes(1, work.activation_bits),
        "activations_signed": int(product.is_signed),
        "scale_count": blocks * array.columns,
    }


def _steps(tiles: Wide, item_bits: int) -> Words:
    """[tiles, steps, outputs of a tile, lanes], an item a step."""
    return _packed(tiles.reshape(-1, *tiles.shape[2:]), rtl.OPERAND_BITS, item_bits)


def _tiles(operands: Wide, size: int) -> Wide:
    """[outputs, steps, lanes] as [tiles, steps, outputs of a tile, lanes]."""
    padded = _padded(operands, 0, size)
    return padded.reshape(-1, size, *operands.shape[1:]).swapaxes(1, 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Operand:
    """Weights or activations of a product, laid out for rows.

    Attributes:
        values: [output channels or pixels, turns, rows, products of a row].
        bits: width of a value on its stream.
        slices: of the native width that it is cut into.
        is_signed: whether values are two's complement.
    """

    values: Wide
    bits: int
    slices: int
    is_signed: bool


def _stationary_streams(grid: StationaryGrid, product: Product) -> tuple[Streams, Settings]:
    """For each block of held operands, chunk of the stream, turn and slice: both operands."""
    array, joins = grid.array, isinstance(grid, Composable)
    weights, activations = _operands(grid, product)
    held, streamed = (weights, activations) if grid.holds_weights else (activations, weights)
    loads = 1 if joins else held.slices
    entries = array.accumulator_entries
    chunks = [streamed.values[at : at + entries] for at in range(0, len(streamed.values), entries)]
    # [turns and loads, entries, rows, products] of each chunk, for one block of held operands
    passing = [np.repeat(chunk.swapaxes(0, 1), loads, axis=0) for chunk in chunks]
    stream = np.concatenate([folds.reshape(-1, *folds.shape[2:]) for folds in passing])
    blocks = _padded(held.values, 0, array.columns)
    blocks = blocks.reshape(-1, array.columns, *blocks.shape[1:]).transpose(0, 2, 3, 1, 4)
    # [blocks, turns, rows, columns, products], each block for every chunk, each turn for every load
    loaded = np.repeat(np.repeat(blocks, len(chunks), axis=0), loads, axis=1)
    scales = _padded(product.scales, 0, array.columns if grid.holds_weights else 1)
    items = rtl.item_bits(array)
    return {
        "scales": scale_words(scales),
        "held": _packed(loaded.reshape(-1, *loaded.shape[3:]), held.bits, items.of_columns),
        "streamed": _packed(np.concatenate([stream] * len(blocks)), streamed.bits, items.of_rows),
    }, {
        "blocks": len(blocks),
        "stream_length": len(streamed.values),
        "turns": blocks.shape[1],
        "loads": loads,
        "held_slices": held.slices if joins else 1,
        "stream_slices": streamed.slices,
        "held_signed": int(held.is_signed),
        "streamed_signed": int(streamed.is_signed),
        "weight_mode": weights.bits.bit_length() - 1,
        "activation_mode": activations.bits.bit_length() - 1,
        "scale_count": len(scales),
    }


def _operands(grid: StationaryGrid, product: Product) -> tuple[_Operand, _Operand]:
    """Weights and activations."""
    array, work = grid.array, product.work
    products = grid.slicing(work.weight_bits, work.activation_bits).products
    places = layout(work, array.rows * products, array.rows, array.kernel_taps)
    shape = (-1, len(places), array.rows, products)
    weights = laid_out(product.weights.T, places).reshape(shape)
    activations = laid_out(product.activations, places).reshape(shape)
    widths = grid.effective_widths(work.weight_bits, work.activation_bits)
    slices = folds(widths[0], array.weight_bits), folds(widths[1], array.activation_bits)
    if not isinstance(grid, Composable):
        widths = rtl.OPERAND_BITS, rtl.OPERAND_BITS
    return (
        _Operand(weights, widths[0], slices[0], is_signed=True),
        _Operand(activations, widths[1], slices[1], product.is_signed),
    )


def scale_words(scales: Wide) -> Words:
    """Bias, multiplier, shift, zero point, lowest and highest code [scales, 6] as stream items."""
    bits = [scales[:, [field]] >> np.arange(width) & 1 for field, width in enumerate(_SCALE_FIELDS)]
    return pack(np.concatenate(bits, axis=1), 1)


def _packed(values: Wide, bits: int, item_bits: int) -> Words:
    """[items, rows or columns, values] side by side, an item for each row or column."""
    behind = item_bits // bits - values.shape[2]
    return pack(np.pad(values, ((0, 0), (0, 0), (0, behind))).reshape(len(values), -1), bits)


def _padded(values: Wide, axis: int, multiple: int) -> Wide:
    """Zeros behind an axis, up to a multiple of a length."""
    behind = -values.shape[axis] % multiple
    widths = [(0, behind if place == axis else 0) for place in range(values.ndim)]
    return np.pad(values, widths)
