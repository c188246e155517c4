"""A matrix product on the stepped array of a machine: its codes, and the cycles it took."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.datapaths.composable import BRICK_BITS, Composable
from accelerators.datapaths.interface import Work, folds
from accelerators.datapaths.kinds import datapath_of
from accelerators.datapaths.output_grid import OutputGrid
from accelerators.datapaths.stationary_grid import StationaryGrid
from accelerators.schema import Array
from hwsim.verify.stepped import _kernels as kernels
from hwsim.verify.stepped.digits import Digits, bits_of, laid_out, layout, slices_of, terms_of

Wide = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """Operands of a product, and how its sums become codes.

    Attributes:
        activations: [pixels, taps x channels].
        weights: [taps x channels, output channels], signed.
        taps: of the kernel.
        weight_bits: width of a weight.
        activation_bits: width of an activation.
        is_signed: whether activations are two's complement, else unsigned.
        scales: bias, multiplier, shift, zero point, lowest and highest code of each output channel,
            [output channels, 6]; shifts round half up.
        weight_terms: as in `Work`.
    """

    activations: Wide
    weights: Wide
    taps: int
    weight_bits: int
    activation_bits: int
    is_signed: bool
    scales: Wide
    weight_terms: int = 0

    @property
    def work(self) -> Work:
        """What the product asks of an array."""
        pixels, reduction = self.activations.shape
        channels = self.weights.shape[1]
        widths = (self.weight_bits, self.activation_bits, self.weight_terms)
        return Work(pixels, channels, 1, self.taps, reduction // self.taps, *widths)


@dataclass(frozen=True, slots=True, eq=False)
class Stepped:
    """What a stepped array made: codes [pixels, output channels], and the cycles to the last."""

    codes: Wide
    cycles: int


def run_stepped(array: Array, product: Product) -> Stepped:
    """Step an array through a product; slow, meant for a few tiles.

    Raises:
        ValueError: a weight has more terms than a shift-and-add array was told.
    """
    datapath = datapath_of(array)
    if isinstance(datapath, OutputGrid):
        return _on_output_grid(datapath, product)
    assert isinstance(datapath, StationaryGrid)
    return _on_stationary_grid(datapath, product)


def _on_output_grid(grid: OutputGrid, product: Product) -> Stepped:
    array, work = grid.array, product.work
    lanes = grid.lanes(work.weight_bits)
    places = layout(work, lanes, array.lanes, array.kernel_taps)
    kind, activations, weights = _digits(array, product)
    # Every digit of a weight meets every digit of an activation, for one step after the other.
    fed_a = _padded(laid_out(activations.values, places), 1, array.rows)
    fed_w = laid_out(weights.values.transpose(0, 2, 1), places)
    fed_w = _padded(fed_w, 1, array.columns)
    pairs = [(i, j) for i in range(len(fed_w)) for j in range(len(fed_a))]
    stream_a = np.stack([fed_a[j] for _, j in pairs], axis=2)  # [rows, steps, pairs, lanes]
    stream_w = np.stack([fed_w[i] for i, _ in pairs], axis=2)
    steps = len(places)
    stream_a = stream_a.reshape(-1, array.rows, steps * len(pairs), lanes)
    stream_w = stream_w.reshape(-1, array.columns, steps * len(pairs), lanes)
    shifts = [weights.shifts[i] + activations.shifts[j] for i, j in pairs]
    negatives = [_is_last(weights, i) != _is_last(activations, j) for i, j in pairs]
    scales = _padded(product.scales, 0, array.columns).reshape(-1, array.columns, 6)
    tiles = [(p, c) for c in range(len(stream_w)) for p in range(len(stream_a))]
    # One block of channels has one set of scales; blocks follow each other like tiles do, so a
    # product with several is stepped as one, with the scales of the block at hand.
    codes = np.zeros((len(tiles), array.rows, array.columns), np.int64)
    fed = kernels.OutputGridInputs(
        stream_a[[p for p, _ in tiles]],
        stream_w[[c for _, c in tiles]],
        np.tile(np.array(shifts, np.int64), steps),
        np.tile(np.array(negatives, np.int64), steps),
        scales[[c for _, c in tiles]],
    )
    interval = max(steps * len(pairs), array.rows)
    cycles = kernels.step_output_grid(kind, fed, interval, codes)
    blocks = codes.reshape(len(stream_w), len(stream_a) * array.rows, array.columns)
    joined = blocks.transpose(1, 0, 2).reshape(len(stream_a) * array.rows, -1)
    return Stepped(joined[: work.pixels, : work.channels], cycles)


def _digits(array: Array, product: Product) -> tuple[int, Digits, Digits]:
    """What a lane does, and the digits of activations and weights that it is fed."""
    work = product.work
    whole_a = slices_of(product.activations, work.activation_bits, array.activation_bits)
    whole_w = slices_of(product.weights, work.weight_bits, array.weight_bits)
    bits_a = bits_of(product.activations, work.activation_bits, product.is_signed)
    bits_w = bits_of(product.weights, work.weight_bits, is_signed=True)
    match array.dataflow:
        case "activation_serial":
            return kernels.GATE_WEIGHT, bits_a, whole_w
        case "weight_serial":
            return kernels.GATE_ACTIVATION, whole_a, bits_w
        case "bit_serial":
            return kernels.COUNT_BITS, bits_a, bits_w
        case "shift_add":
            terms = work.weight_terms or folds(work.weight_bits, 2)
            return kernels.SHIFT, whole_a, terms_of(product.weights, terms)
        case _:
            return kernels.MULTIPLY, whole_a, whole_w


def _is_last(digits: Digits, place: int) -> bool:
    """Whether a digit is a sign bit, whose products are subtracted."""
    return digits.negative and place == len(digits.shifts) - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    """One load of the array and the stream past it.

    Attributes:
        held: [rows, columns, products].
        stream: [operands, rows, products].
        marks: [operands, 6], as the kernel wants them.
        first_held: the first output channel (or pixel) that columns stand for.
        first_streamed: the first pixel (or output channel) of the stream.
    """

    held: Wide
    stream: Wide
    marks: Wide
    first_held: int
    first_streamed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Operands:
    """What stays in PEs and what streams past them.

    Attributes:
        held: [digits, operands, reduction]; each digit is a load of its own.
        streamed: likewise; each digit is a cycle of its own.
        of_held: for each digit streamed, the place and mask of the part of a held one it meets.
        bricks: 2-bit digits of a streamed and of a held operand, where PEs are made of them.
    """

    held: Digits
    streamed: Digits
    of_held: tuple[tuple[int, int], ...]
    bricks: tuple[int, int] = (0, 0)


def _on_stationary_grid(grid: StationaryGrid, product: Product) -> Stepped:
    array, work = grid.array, product.work
    operands = _operands(grid, product)
    found = list(_folds(grid, work, operands))
    most = max(len(fold.stream) for fold in found)
    codes = np.zeros((len(found), most, array.columns), np.int64)
    channels = np.stack([_channels(grid, fold, most) for fold in found])
    scales = _padded(product.scales, 0, work.channels + array.columns)
    lengths = np.array([len(fold.stream) for fold in found], np.int64)
    # A stream shorter than the load of the next fold's held operands is followed by a gap.
    starts = np.cumsum([array.rows, *np.maximum(lengths, array.rows)])
    fed = kernels.StationaryGridInputs(
        np.stack([fold.held for fold in found]),
        np.stack([_padded(fold.stream, 0, most) for fold in found]),
        np.stack([_padded(fold.marks, 0, most) for fold in found]),
        lengths,
        scales[np.minimum(channels, len(scales) - 1)].reshape(-1, array.columns, 6),
        np.array(operands.bricks, np.int64),
        starts,
    )
    kind = kernels.BRICKS if isinstance(grid, Composable) else kernels.MULTIPLY
    cycles = kernels.step_stationary_grid(kind, fed, array.accumulator_entries, codes)
    result = np.zeros((work.pixels + array.columns, work.channels + array.columns), np.int64)
    for fold, made in zip(found, codes, strict=True):
        for mark, row in zip(fold.marks, made, strict=False):
            if mark[2]:
                here, there = fold.first_streamed + mark[0], fold.first_held
                place = slice(there, there + array.columns)
                result[(here, place) if grid.holds_weights else (place, here)] = row
    return Stepped(result[: work.pixels, : work.channels], cycles)


def _channels(grid: StationaryGrid, fold: _Fold, most: int) -> Wide:
    """The output channel of each streamed operand and column, [operands, columns]."""
    columns = np.arange(grid.array.columns)
    entries = _padded(fold.marks[:, 0], 0, most)
    if grid.holds_weights:
        return np.broadcast_to(fold.first_held + columns, (most, len(columns)))
    return np.broadcast_to((fold.first_streamed + entries)[:, np.newaxis], (most, len(columns)))


def _folds(grid: StationaryGrid, work: Work, operands: _Operands) -> Iterator[_Fold]:
    """Every load of the array in order: held blocks, chunks of the stream, parts of the sums."""
    array = grid.array
    products = grid.slicing(work.weight_bits, work.activation_bits).products
    places = layout(work, array.rows * products, array.rows, array.kernel_taps)
    held, streamed = operands.held, operands.streamed
    # [digits, operands, turns, rows, products]
    parts = (len(places), array.rows, products)
    all_held = laid_out(held.values, places).reshape(*held.values.shape[:2], *parts)
    all_held = _padded(all_held, 1, array.columns)
    fed = laid_out(streamed.values, places).reshape(*streamed.values.shape[:2], *parts)
    passes = [(turn, load) for turn in range(len(places)) for load in range(len(held.shifts))]
    for first_held in range(0, all_held.shape[1], array.columns):
        for first in range(0, fed.shape[1], array.accumulator_entries):
            chunk = fed[:, first : first + array.accumulator_entries]
            for turn, load in passes:
                block = all_held[load, first_held : first_held + array.columns, turn]
                yield _Fold(
                    block.transpose(1, 0, 2),
                    chunk[:, :, turn].swapaxes(0, 1).reshape(-1, array.rows, products),
                    _marks(
                        operands,
                        chunk.shape[1],
                        held.shifts[load],
                        (turn, load) == passes[0],
                        (turn, load) == passes[-1],
                    ),
                    first_held,
                    first,
                )


def _marks(operands: _Operands, count: int, held_shift: int, is_first: bool, is_last: bool) -> Wide:
    """Of each streamed operand, digit by digit, as the kernel wants them."""
    shifts = operands.streamed.shifts
    marks = [
        (
            entry,
            is_first and digit == 0,
            is_last and digit == len(shifts) - 1,
            held_shift + shift,
            *operands.of_held[digit],
        )
        for entry in range(count)
        for digit, shift in enumerate(shifts)
    ]
    return np.array(marks, np.int64)


_WHOLE = (0, -1)
"""Place and mask of all of an operand."""


def _operands(grid: StationaryGrid, product: Product) -> _Operands:
    array, weights = grid.array, product.weights.T
    if isinstance(grid, Composable):
        return _composed(grid, product)
    activations = slices_of(product.activations, product.activation_bits, array.activation_bits)
    sliced = slices_of(weights, product.weight_bits, array.weight_bits)
    held, streamed = (sliced, activations) if grid.holds_weights else (activations, sliced)
    return _Operands(held, streamed, (_WHOLE,) * len(streamed.shifts))


def _composed(grid: Composable, product: Product) -> _Operands:
    """A fusion unit keeps a weight whole; each cycle takes a slice of it and of an activation."""
    widths = grid.effective_widths(product.weight_bits, product.activation_bits)
    natives = grid.array.weight_bits, grid.array.activation_bits
    whole = slices_of(product.weights.T, widths[0], widths[0])
    of_weights = slices_of(product.weights.T, widths[0], natives[0]).shifts
    of_activations = slices_of(product.activations, widths[1], natives[1])
    pairs = [(i, j) for i in range(len(of_weights)) for j in range(len(of_activations.shifts))]
    streamed = Digits(
        of_activations.values[[j for _, j in pairs]],
        tuple(of_weights[i] + of_activations.shifts[j] for i, j in pairs),
    )
    low = (1 << natives[0]) - 1
    of_held = [(of_weights[i], low if i < len(of_weights) - 1 else -1) for i, _ in pairs]
    bricks = (min(widths[1], natives[1]) // BRICK_BITS, min(widths[0], natives[0]) // BRICK_BITS)
    products = grid.slicing(*widths).products
    assert products * bricks[0] * bricks[1] <= natives[0] * natives[1] // BRICK_BITS**2
    return _Operands(whole, streamed, tuple(of_held), bricks)


def _padded(values: Wide, axis: int, multiple: int) -> Wide:
    """Zeros behind an axis, up to a multiple of a length."""
    behind = -values.shape[axis] % multiple
    widths = [(0, behind if place == axis else 0) for place in range(values.ndim)]
    return np.pad(values, widths)
