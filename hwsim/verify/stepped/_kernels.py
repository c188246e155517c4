"""The registers of arrays and vector unit, advanced one cycle at a time.

Everything is in this one file because Numba renews its stored machine code when a function's own
file changes, not when that of a function it calls does. Each step updates registers from the far
corner to the near one, so that every PE still sees what its neighbours held in the cycle before.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Wide = NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

MULTIPLY, GATE_WEIGHT, GATE_ACTIVATION, COUNT_BITS, SHIFT, BRICKS = range(6)
"""What a lane does with its two digits."""

EMPTY = -1


def _kernel(function: Function) -> Function:
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


@_kernel
def _copy(source: Wide, target: Wide) -> None:
    """One register's lanes into another's; a loop compiles faster than a slice assigned."""
    for lane in range(len(source)):
        target[lane] = source[lane]


@_kernel
def _lane(kind: int, activation: int, weight: int, bricks: Wide) -> int:
    """One lane's share of a sum, before the shift that all lanes have in common.

    ``bricks`` are the 2-bit digits of the two operands, for joined bricks alone.
    """
    if kind == GATE_WEIGHT:
        return weight if activation == 1 else 0
    if kind == GATE_ACTIVATION:
        return activation if weight == 1 else 0
    if kind == COUNT_BITS:
        return activation & weight
    if kind == SHIFT:  # a weight digit is a sign and an exponent plus one, or 0 for no term
        if weight == 0:
            return 0
        shifted = activation << (abs(weight) - 1)
        return shifted if weight > 0 else -shifted
    if kind == BRICKS:
        return _joined_bricks(activation, weight, bricks[0], bricks[1])
    return activation * weight


@_kernel
def _joined_bricks(one: int, other: int, one_digits: int, other_digits: int) -> int:
    """A product made of products of 2-bit digits, of which the topmost have the signs."""
    total = 0
    for i in range(one_digits):
        left = one >> (2 * i) if i == one_digits - 1 else (one >> (2 * i)) & 3
        for j in range(other_digits):
            right = other >> (2 * j) if j == other_digits - 1 else (other >> (2 * j)) & 3
            total += (left * right) << (2 * (i + j))
    return total


@_kernel
def _advance_requantizer(
    pipe: Wide, tags: Wide, entering: int, tag: int, scales: Wide, outputs_a_scale: int
) -> None:
    """One cycle of a column's requantizer: three registers and the tags of what they hold.

    A scale is bias, multiplier, shift, zero point, lowest and highest code; rounding is half up.
    Output ``tag`` has the scale ``tag / outputs_a_scale``.
    """
    if tags[1] != EMPTY:
        scale = scales[tags[1] // outputs_a_scale]
        pipe[2] = min(max(pipe[1] + scale[3], scale[4]), scale[5])
    if tags[0] != EMPTY:
        shift = scales[tags[0] // outputs_a_scale, 2]
        pipe[1] = (pipe[0] + ((1 << shift) >> 1)) >> shift
    if tag != EMPTY:
        scale = scales[tag // outputs_a_scale]
        pipe[0] = (entering + scale[0]) * scale[1]
    tags[2], tags[1], tags[0] = tags[1], tags[0], tag


class OutputGridInputs(NamedTuple):
    """What is fed to a grid whose PEs keep outputs.

    Attributes:
        activations: digits fed to each row, [tiles, rows, operands, lanes].
        weights: digits fed to each column, [tiles, columns, operands, lanes].
        shifts: places by which an operand's sum is shifted, [operands].
        negatives: 1 for operands whose sum is subtracted, [operands].
        scales: of the requantizers, [tiles, columns, 6].
    """

    activations: Wide
    weights: Wide
    shifts: Wide
    negatives: Wide
    scales: Wide


class _OutputRegisters(NamedTuple):
    """Registers of the PEs, [rows, columns, …], and of the requantizers, [columns, 3].

    ``place`` is tile x operands + operand, or empty; ``captured`` the cycle of a PE's last result.
    """

    place: Wide
    activations: Wide
    weights: Wide
    sums: Wide
    drains: Wide
    drain_tags: Wide
    captured: Wide
    pipe: Wide
    tags: Wide


@_kernel
def step_output_grid(kind: int, fed: OutputGridInputs, interval: int, codes: Wide) -> int:
    """Tiles of outputs on a grid whose PEs keep them; returns the cycles, -1 if some never came.

    Args:
        kind: what a lane does.
        fed: operands and scales.
        interval: cycles from the start of a tile to that of the next.
        codes: filled, [tiles, rows, columns].
    """
    tiles, rows, operands, lanes = fed.activations.shape
    columns = fed.weights.shape[1]
    registers = _OutputRegisters(
        np.full((rows, columns), EMPTY, np.int64),
        np.zeros((rows, columns, lanes), np.int64),
        np.zeros((rows, columns, lanes), np.int64),
        np.zeros((rows, columns), np.int64),
        np.zeros((rows, columns), np.int64),
        np.full((rows, columns), EMPTY, np.int64),
        np.full((rows, columns), EMPTY, np.int64),
        np.zeros((columns, 3), np.int64),
        np.full((columns, 3), EMPTY, np.int64),
    )
    missing = tiles * rows * columns
    enough = tiles * interval + operands + 4 * (rows + columns) + 8
    cycle = 0
    while missing > 0 and cycle < enough:
        missing -= _leave_output_grid(registers, fed, cycle, codes)
        for r in range(rows - 1, -1, -1):
            for c in range(columns - 1, -1, -1):
                _shift_drain(registers, cycle, r, c)
                _take_operands(registers, fed, interval, cycle, r, c)
                if registers.place[r, c] != EMPTY:
                    _add_to_output(kind, registers, fed, cycle, r, c)
        cycle += 1
    return cycle if missing == 0 else EMPTY


@_kernel
def _leave_output_grid(
    registers: _OutputRegisters, fed: OutputGridInputs, cycle: int, codes: Wide
) -> int:
    """The bottom row's drains enter the requantizers; returns the codes that leave them."""
    rows, columns = registers.place.shape
    left = 0
    for c in range(columns):
        since = registers.captured[rows - 1, c]
        enters = since != EMPTY and since < cycle <= since + rows
        tag = registers.drain_tags[rows - 1, c] if enters else EMPTY
        pipe, tags = registers.pipe[c], registers.tags[c]
        value = registers.drains[rows - 1, c]
        _advance_requantizer(pipe, tags, value, tag, fed.scales[:, c], rows)
        if tags[2] != EMPTY:
            codes[tags[2] // rows, tags[2] % rows, c] = pipe[2]
            left += 1
    return left


@_kernel
def _shift_drain(registers: _OutputRegisters, cycle: int, r: int, c: int) -> None:
    """Row r waits rows - r cycles after its own result, then takes r values from above."""
    first = registers.captured[r, c] + len(registers.place) - r
    if registers.captured[r, c] != EMPTY and first <= cycle < first + r:
        registers.drains[r, c] = registers.drains[r - 1, c]
        registers.drain_tags[r, c] = registers.drain_tags[r - 1, c]


@_kernel
def _take_operands(
    registers: _OutputRegisters, fed: OutputGridInputs, interval: int, cycle: int, r: int, c: int
) -> None:
    """An activation from the left and a weight from above, or from the skewed edges."""
    tiles, _, operands, _ = fed.activations.shape
    if c > 0:
        registers.place[r, c] = registers.place[r, c - 1]
        _copy(registers.activations[r, c - 1], registers.activations[r, c])
    else:
        tile, operand = divmod(cycle - r, interval)
        fits = 0 <= tile < tiles and operand < operands
        registers.place[r, c] = tile * operands + operand if fits else EMPTY
        if fits:
            _copy(fed.activations[tile, r, operand], registers.activations[r, c])
    if r > 0:
        _copy(registers.weights[r - 1, c], registers.weights[r, c])
    else:
        tile, operand = divmod(cycle - c, interval)
        if 0 <= tile < tiles and operand < operands:
            _copy(fed.weights[tile, c, operand], registers.weights[r, c])


@_kernel
def _add_to_output(
    kind: int, registers: _OutputRegisters, fed: OutputGridInputs, cycle: int, r: int, c: int
) -> None:
    """A PE's cycle: its lanes' products, added to its output or beginning one."""
    operands = len(fed.shifts)
    tile, operand = divmod(registers.place[r, c], operands)
    no_bricks = np.zeros(2, np.int64)
    added = 0
    for lane in range(fed.activations.shape[3]):
        activation, weight = registers.activations[r, c, lane], registers.weights[r, c, lane]
        added += _lane(kind, activation, weight, no_bricks)
    added <<= fed.shifts[operand]
    if fed.negatives[operand] == 1:
        added = -added
    before = 0 if operand == 0 else registers.sums[r, c]
    registers.sums[r, c] = before + added
    if operand == operands - 1:
        registers.drains[r, c] = registers.sums[r, c]
        registers.drain_tags[r, c] = tile * len(registers.place) + r
        registers.captured[r, c] = cycle


class StationaryGridInputs(NamedTuple):
    """What is fed to a grid whose PEs hold operands while others stream.

    Attributes:
        held: digits held by PEs, [folds, rows, columns, products].
        streams: digits that stream along rows, [folds, operands, rows, products].
        marks: of each streamed operand: its entry in the accumulator memories, whether it is an
            output's first pass, whether its last, the shift of its sum, and of which slice of the
            held operand it is: the slice's place and, but for the topmost, its mask (else -1);
            [folds, operands, 6].
        lengths: streamed operands of each fold, [folds].
        scales: of the requantizers, [folds x operands, columns, 6].
        bricks: 2-bit digits of a streamed and of a held operand, [2].
        starts: cycle in which each fold's stream enters the first row, and one behind the last.
    """

    held: Wide
    streams: Wide
    marks: Wide
    lengths: Wide
    scales: Wide
    bricks: Wide
    starts: Wide


class _StationaryRegisters(NamedTuple):
    """Registers of the PEs, [rows, columns, …], of accumulator memories and requantizers.

    ``place`` is fold x operands + operand, or empty; ``transit_row`` the row that a held operand on
    its way down is for; ``feeding`` and ``loading`` the fold whose operands enter a row or column.
    """

    transit: Wide
    transit_row: Wide
    waiting: Wide
    used: Wide
    place: Wide
    passing: Wide
    sums: Wide
    memory: Wide
    pipe: Wide
    tags: Wide
    feeding: Wide
    loading: Wide


@_kernel
def step_stationary_grid(kind: int, fed: StationaryGridInputs, entries: int, codes: Wide) -> int:
    """Folds on a grid whose PEs hold operands; returns the cycles, -1 if some code never came.

    A held operand enters at the top of its column, row 0's first, moves down a row a cycle, and
    waits beside the one in use until the fold's first streamed operand passes.

    Args:
        kind: what a lane does.
        fed: operands, marks and scales.
        entries: of an accumulator memory.
        codes: filled where an operand is an output's last pass, [folds, operands, columns].
    """
    folds, rows, columns, products = fed.held.shape
    registers = _StationaryRegisters(
        np.zeros((rows, columns, products), np.int64),
        np.full((rows, columns), EMPTY, np.int64),
        np.zeros((rows, columns, products), np.int64),
        np.zeros((rows, columns, products), np.int64),
        np.full((rows, columns), EMPTY, np.int64),
        np.zeros((rows, columns, products), np.int64),
        np.zeros((rows, columns), np.int64),
        np.zeros((columns, entries), np.int64),
        np.zeros((columns, 3), np.int64),
        np.full((columns, 3), EMPTY, np.int64),
        np.zeros(rows, np.int64),
        np.zeros(columns, np.int64),
    )
    missing = columns * fed.marks[:, :, 2].sum()
    enough = fed.starts[folds] + 4 * (rows + columns) + 8
    cycle = 0
    while missing > 0 and cycle < enough:
        missing -= _leave_stationary_grid(registers, fed, codes)
        for r in range(rows - 1, -1, -1):
            for c in range(columns - 1, -1, -1):
                _take_streamed(registers, fed, cycle, r, c)
                if registers.place[r, c] != EMPTY:
                    _add_to_column(kind, registers, fed, r, c)
                _take_held(registers, fed, cycle, r, c)
        cycle += 1
    return cycle if missing == 0 else EMPTY


@_kernel
def _leave_stationary_grid(
    registers: _StationaryRegisters, fed: StationaryGridInputs, codes: Wide
) -> int:
    """Sums at the bottom meet their column's memory; returns the codes that leave requantizers."""
    rows, columns = registers.place.shape
    most = fed.streams.shape[1]
    left = 0
    for c in range(columns):
        place = registers.place[rows - 1, c]
        tag, value = EMPTY, 0
        if place != EMPTY:
            mark = fed.marks[place // most, place % most]
            value = registers.sums[rows - 1, c] << mark[3]
            if mark[1] == 0:
                value += registers.memory[c, mark[0]]
            if mark[2] == 1:
                tag = place
            else:
                registers.memory[c, mark[0]] = value
        pipe, tags = registers.pipe[c], registers.tags[c]
        _advance_requantizer(pipe, tags, value, tag, fed.scales[:, c], 1)
        if tags[2] != EMPTY:
            codes[tags[2] // most, tags[2] % most, c] = pipe[2]
            left += 1
    return left


@_kernel
def _take_streamed(
    registers: _StationaryRegisters, fed: StationaryGridInputs, cycle: int, r: int, c: int
) -> None:
    """A streamed operand from the left, or from the skewed edge."""
    if c > 0:
        registers.place[r, c] = registers.place[r, c - 1]
        _copy(registers.passing[r, c - 1], registers.passing[r, c])
        return
    folds, most = fed.streams.shape[:2]
    while registers.feeding[r] < folds and cycle - r >= fed.starts[registers.feeding[r] + 1]:
        registers.feeding[r] += 1
    fold = registers.feeding[r]
    operand = cycle - r - fed.starts[fold]
    registers.place[r, c] = EMPTY
    if fold < folds and 0 <= operand < fed.lengths[fold]:
        registers.place[r, c] = fold * most + operand
        _copy(fed.streams[fold, operand, r], registers.passing[r, c])


@_kernel
def _add_to_column(
    kind: int, registers: _StationaryRegisters, fed: StationaryGridInputs, r: int, c: int
) -> None:
    """A PE's cycle: its products, added to the sum from above; new held ones with a new fold."""
    fold, operand = divmod(registers.place[r, c], fed.streams.shape[1])
    if operand == 0:
        _copy(registers.waiting[r, c], registers.used[r, c])
    shift, mask = fed.marks[fold, operand, 4], fed.marks[fold, operand, 5]
    added = registers.sums[r - 1, c] if r > 0 else 0
    for each in range(fed.held.shape[3]):
        part = registers.used[r, c, each] >> shift & mask
        added += _lane(kind, registers.passing[r, c, each], part, fed.bricks)
    registers.sums[r, c] = added


@_kernel
def _take_held(
    registers: _StationaryRegisters, fed: StationaryGridInputs, cycle: int, r: int, c: int
) -> None:
    """A held operand on its way down the column; one meant for this row stays and waits."""
    folds, rows = fed.held.shape[:2]
    if r > 0:
        _copy(registers.transit[r - 1, c], registers.transit[r, c])
        registers.transit_row[r, c] = registers.transit_row[r - 1, c]
    else:
        while registers.loading[c] < folds and cycle - c >= fed.starts[registers.loading[c]]:
            registers.loading[c] += 1
        fold = registers.loading[c]
        row = cycle - c - fed.starts[fold] + rows
        registers.transit_row[r, c] = EMPTY
        if fold < folds and 0 <= row < rows:
            registers.transit_row[r, c] = row
            _copy(fed.held[fold, row, c], registers.transit[r, c])
    if registers.transit_row[r, c] == r:
        _copy(registers.transit[r, c], registers.waiting[r, c])


@_kernel
def step_addition(first: Wide, second: Wide, scale: Wide, lanes: int, codes: Wide) -> int:
    """Elements through the four stages of the vector unit; returns the cycles.

    Args:
        first: one operand, [elements].
        second: the other.
        scale: offset, multiplier and shift of each operand, then zero point, lowest and highest
            code, [9].
        lanes: elements that enter in a cycle.
        codes: filled, [elements].
    """
    elements = len(first)
    scaled = np.zeros((2, lanes), np.int64)
    shifted = np.zeros((2, lanes), np.int64)
    added = np.zeros(lanes, np.int64)
    stage = np.full(4, EMPTY, np.int64)  # the turn that each stage's registers hold
    missing = elements
    turn = cycle = 0
    while missing > 0:
        for lane in range(lanes):
            if stage[2] != EMPTY and stage[2] * lanes + lane < elements:
                codes[stage[2] * lanes + lane] = min(max(added[lane], scale[7]), scale[8])
                missing -= 1
            added[lane] = shifted[0, lane] + shifted[1, lane] + scale[6]
            for side in range(2):
                shift = scale[3 * side + 2]
                shifted[side, lane] = (scaled[side, lane] + ((1 << shift) >> 1)) >> shift
            element = min(turn * lanes + lane, elements - 1)
            scaled[0, lane] = (first[element] + scale[0]) * scale[1]
            scaled[1, lane] = (second[element] + scale[3]) * scale[4]
        stage[3], stage[2], stage[1] = stage[2], stage[1], stage[0]
        stage[0] = turn if turn * lanes < elements else EMPTY
        turn += 1
        cycle += 1
    return cycle
