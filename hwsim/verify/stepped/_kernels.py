"""The registers of arrays and vector unit, advanced one cycle at a time.

Everything is in this one file because Numba renews its stored machine code when a function's own
file changes, not when that of a function it calls does. Each step updates the registers from the
far corner to the near one, so that every PE still sees what its neighbours held in the cycle before.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

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


@_kernel
def step_output_grid(
    kind: int,
    activations: Wide,
    weights: Wide,
    shifts: Wide,
    negatives: Wide,
    interval: int,
    scales: Wide,
    codes: Wide,
) -> int:
    """Tiles of outputs on a grid whose PEs keep them; returns the cycles.

    Args:
        kind: what a lane does.
        activations: digits fed to each row, [tiles, rows, operands, lanes].
        weights: digits fed to each column, [tiles, columns, operands, lanes].
        shifts: places by which an operand's sum is shifted, [operands].
        negatives: 1 for operands whose sum is subtracted, [operands].
        interval: cycles from the start of a tile to that of the next.
        scales: of the requantizers, [tiles, columns, 6].
        codes: filled, [tiles, rows, columns].
    """
    tiles, rows, operands, lanes = activations.shape
    columns = weights.shape[1]
    place = np.full((rows, columns), EMPTY, np.int64)  # tile x operands + operand of a PE
    held_a = np.zeros((rows, columns, lanes), np.int64)
    held_w = np.zeros((rows, columns, lanes), np.int64)
    sums = np.zeros((rows, columns), np.int64)
    drain = np.zeros((rows, columns), np.int64)
    drain_tag = np.full((rows, columns), EMPTY, np.int64)
    captured = np.full((rows, columns), EMPTY, np.int64)
    pipe = np.zeros((columns, 3), np.int64)
    tags = np.full((columns, 3), EMPTY, np.int64)
    no_bricks = np.zeros(2, np.int64)
    missing = tiles * rows * columns
    cycle = 0
    while missing > 0 and cycle < tiles * interval + operands + 4 * (rows + columns) + 8:
        for c in range(columns):
            since = captured[rows - 1, c]
            enters = since != EMPTY and since < cycle <= since + rows
            tag = drain_tag[rows - 1, c] if enters else EMPTY
            _advance_requantizer(pipe[c], tags[c], drain[rows - 1, c], tag, scales[:, c], rows)
            if tags[c, 2] != EMPTY:
                tile, row = divmod(tags[c, 2], rows)
                codes[tile, row, c] = pipe[c, 2]
                missing -= 1
        for r in range(rows - 1, -1, -1):
            for c in range(columns - 1, -1, -1):
                since = captured[r, c] + rows - r
                if r > 0 and captured[r, c] != EMPTY and since <= cycle < since + r:
                    drain[r, c], drain_tag[r, c] = drain[r - 1, c], drain_tag[r - 1, c]
                if c > 0:
                    place[r, c] = place[r, c - 1]
                    held_a[r, c] = held_a[r, c - 1]
                else:
                    tile, operand = divmod(cycle - r, interval)
                    fits = 0 <= tile < tiles and operand < operands
                    place[r, c] = tile * operands + operand if fits else EMPTY
                    if fits:
                        held_a[r, c] = activations[tile, r, operand]
                if r > 0:
                    held_w[r, c] = held_w[r - 1, c]
                else:
                    tile, operand = divmod(cycle - c, interval)
                    if 0 <= tile < tiles and operand < operands:
                        held_w[r, c] = weights[tile, c, operand]
                if place[r, c] == EMPTY:
                    continue
                tile, operand = divmod(place[r, c], operands)
                added = 0
                for lane in range(lanes):
                    added += _lane(kind, held_a[r, c, lane], held_w[r, c, lane], no_bricks)
                added <<= shifts[operand]
                before = 0 if operand == 0 else sums[r, c]
                sums[r, c] = before - added if negatives[operand] else before + added
                if operand == operands - 1:
                    drain[r, c], drain_tag[r, c] = sums[r, c], tile * rows + r
                    captured[r, c] = cycle
        cycle += 1
    return cycle if missing == 0 else EMPTY


@_kernel
def step_stationary_grid(
    kind: int,
    held: Wide,
    streams: Wide,
    marks: Wide,
    lengths: Wide,
    load_cycles: int,
    entries: int,
    scales: Wide,
    bricks: Wide,
    codes: Wide,
) -> int:
    """Folds on a grid whose PEs hold operands while others stream; returns the cycles.

    A held operand enters at the top of its column, row 0's first, moves down a row a cycle, and
    waits beside the one in use until the fold's first streamed operand passes.

    Args:
        kind: what a lane does.
        held: digits held by PEs, [folds, rows, columns, products].
        streams: digits that stream along rows, [folds, operands, rows, products].
        marks: of each streamed operand: its entry in the accumulator memories, whether it is an
            output's first pass, whether its last, the shift of its sum, and of which slice of the
            held operand it is: the slice's place and, but for the topmost, its mask (else -1);
            [folds, operands, 6].
        lengths: streamed operands of each fold, [folds].
        load_cycles: cycles the held operands of a fold take to enter.
        entries: of an accumulator memory.
        scales: of the requantizers, [folds x operands, columns, 6].
        bricks: 2-bit digits of a streamed and of a held operand, [2].
        codes: filled where an operand is an output's last pass, [folds, operands, columns].
    """
    folds, rows, columns, products = held.shape
    most = streams.shape[1]
    starts = np.zeros(folds + 1, np.int64)
    starts[0] = load_cycles
    for fold in range(folds):
        starts[fold + 1] = starts[fold] + max(lengths[fold], load_cycles)
    transit = np.zeros((rows, columns, products), np.int64)
    transit_row = np.full((rows, columns), EMPTY, np.int64)
    waiting = np.zeros((rows, columns, products), np.int64)
    used = np.zeros((rows, columns, products), np.int64)
    place = np.full((rows, columns), EMPTY, np.int64)  # fold x most + operand
    passing = np.zeros((rows, columns, products), np.int64)
    sums = np.zeros((rows, columns), np.int64)
    memory = np.zeros((columns, entries), np.int64)
    pipe = np.zeros((columns, 3), np.int64)
    tags = np.full((columns, 3), EMPTY, np.int64)
    missing = 0
    for fold in range(folds):
        for operand in range(lengths[fold]):
            missing += columns * marks[fold, operand, 2]
    feeding = np.zeros(rows, np.int64)  # the fold whose stream a row is fed
    loading = np.zeros(columns, np.int64)  # the fold whose held operands enter a column
    cycle = 0
    while missing > 0 and cycle < starts[folds] + 4 * (rows + columns) + 8:
        for c in range(columns):
            tag, value = EMPTY, 0
            if place[rows - 1, c] != EMPTY:
                fold, operand = divmod(place[rows - 1, c], most)
                entry, shift = marks[fold, operand, 0], marks[fold, operand, 3]
                value = sums[rows - 1, c] << shift
                if marks[fold, operand, 1] == 0:
                    value += memory[c, entry]
                if marks[fold, operand, 2] == 1:
                    tag = place[rows - 1, c]
                else:
                    memory[c, entry] = value
            _advance_requantizer(pipe[c], tags[c], value, tag, scales[:, c], 1)
            if tags[c, 2] != EMPTY:
                fold, operand = divmod(tags[c, 2], most)
                codes[fold, operand, c] = pipe[c, 2]
                missing -= 1
        for r in range(rows - 1, -1, -1):
            for c in range(columns - 1, -1, -1):
                if c > 0:
                    place[r, c] = place[r, c - 1]
                    passing[r, c] = passing[r, c - 1]
                else:
                    while feeding[r] < folds and cycle - r >= starts[feeding[r] + 1]:
                        feeding[r] += 1
                    fold = feeding[r]
                    operand = cycle - r - starts[fold] if fold < folds else EMPTY
                    fits = fold < folds and 0 <= operand < lengths[fold]
                    place[r, c] = fold * most + operand if fits else EMPTY
                    if fits:
                        passing[r, c] = streams[fold, operand, r]
                if place[r, c] != EMPTY:
                    if place[r, c] % most == 0:
                        used[r, c] = waiting[r, c]
                    fold, operand = divmod(place[r, c], most)
                    shift, mask = marks[fold, operand, 4], marks[fold, operand, 5]
                    added = 0
                    for each in range(products):
                        part = used[r, c, each] >> shift & mask
                        added += _lane(kind, passing[r, c, each], part, bricks)
                    sums[r, c] = added + (sums[r - 1, c] if r > 0 else 0)
                if r > 0:
                    transit[r, c], transit_row[r, c] = transit[r - 1, c], transit_row[r - 1, c]
                else:
                    while loading[c] < folds and cycle - c >= starts[loading[c]]:
                        loading[c] += 1
                    fold = loading[c]
                    row = cycle - c - starts[fold] + load_cycles if fold < folds else EMPTY
                    transit_row[r, c] = row if 0 <= row < rows else EMPTY
                    if 0 <= row < rows:
                        transit[r, c] = held[fold, row, c]
                if transit_row[r, c] == r:
                    waiting[r, c] = transit[r, c]
        cycle += 1
    return cycle if missing == 0 else EMPTY


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
