"""The loops of the solvers that NumPy has no single call for.

Everything is in this one file because Numba renews its stored machine code when a function's own
file changes, not when that of a function it calls does.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Integers = NDArray[np.int64]
Reals = NDArray[np.float64]

_MOST = np.iinfo(np.int64).max


def _kernel(function: Function) -> Function:
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


@_kernel
def _least_up_to(tree: Integers, rank: int) -> int:
    """The least value noted at ranks 0…rank; a Fenwick tree of prefix minima."""
    least = _MOST
    node = rank + 1
    while node > 0:
        least = min(least, tree[node])
        node -= node & -node
    return least


@_kernel
def _note(tree: Integers, rank: int, value: int) -> None:
    node = rank + 1
    while node < len(tree):
        tree[node] = min(tree[node], value)
        node += node & -node


@_kernel
def _forget(tree: Integers, rank: int) -> None:
    """Undo what `_note` did at a rank, and all else noted in the same nodes."""
    node = rank + 1
    while node < len(tree):
        tree[node] = _MOST
        node += node & -node


@_kernel
def undominated_of_three(ranks: Integers, values: Integers, ranks_in_all: int) -> NDArray[np.bool_]:
    """Which points of three objectives no earlier point equals or beats.

    Args:
        ranks: [points], the second objective as ranks, points in lexicographic order.
        values: [points], the third objective.
        ranks_in_all: how many ranks there are.
    """
    tree = np.full(ranks_in_all + 1, _MOST)
    kept = np.zeros(len(values), np.bool_)
    for point in range(len(values)):
        if _least_up_to(tree, ranks[point]) > values[point]:
            kept[point] = True
            _note(tree, ranks[point], values[point])
    return kept


@_kernel
def _merge(
    members: Integers, spare: Integers, first: int, middle: int, last: int, second: Integers
) -> None:
    """Merge neighbouring runs sorted by the second objective, the earlier first of equals."""
    left, right = first, middle
    for place in range(first, last):
        if right >= last or (left < middle and second[members[left]] <= second[members[right]]):
            spare[place] = members[left]
            left += 1
        else:
            spare[place] = members[right]
            right += 1
    members[first:last] = spare[first:last]


@_kernel
def undominated_of_four(
    second: Integers, ranks: Integers, values: Integers, ranks_in_all: int
) -> NDArray[np.bool_]:
    """Which points of four objectives no earlier point equals or beats.

    Divide and conquer: in a run of points in lexicographic order, what survives of its earlier half
    is held against what survives of the later, both sorted by the second objective; the third and
    fourth are asked of a tree of prefix minima.

    Args:
        second: [points], the second objective, points in lexicographic order.
        ranks: [points], the third objective as ranks.
        values: [points], the fourth objective.
        ranks_in_all: how many ranks there are.
    """
    points = len(values)
    tree = np.full(ranks_in_all + 1, _MOST)
    kept = np.ones(points, np.bool_)
    members, spare = np.arange(points), np.empty(points, np.int64)
    width = 1
    while width < points:
        for first in range(0, points - width, 2 * width):
            middle, last = first + width, min(first + 2 * width, points)
            left = first
            for right in range(middle, last):
                point = members[right]
                while left < middle and second[members[left]] <= second[point]:
                    earlier = members[left]
                    if kept[earlier]:
                        _note(tree, ranks[earlier], values[earlier])
                    left += 1
                if kept[point] and _least_up_to(tree, ranks[point]) <= values[point]:
                    kept[point] = False
            for place in range(first, left):
                _forget(tree, ranks[members[place]])
            _merge(members, spare, first, middle, last, second)
        width *= 2
    return kept


class Candidates(NamedTuple):
    """Every partial choice, a state, with every choice of the next layer.

    A candidate is known by state × choices + choice.

    Attributes:
        sums: int64 [states, objectives], the error first.
        labels: int64 [states], the row of ``increments`` that extends each state.
        increments: int64 [labels, choices, objectives].
    """

    sums: Integers
    labels: Integers
    increments: Integers


class Grid(NamedTuple):
    """Cells for all sums but the first, the error.

    They are spaced by the square root of what a sum has beyond the lowest; those at 0 have only the
    lowest sum itself.

    Attributes:
        lowest: int64 [objectives], the least that any sum can be.
        per_range: float64 [objectives], one over the range of the sums.
        side: cells along each axis.
        is_linked: whether candidates of different choices have grids of their own.
    """

    lowest: Integers
    per_range: Reals
    side: int
    is_linked: bool


@_kernel
def cells_of(candidates: Candidates, grid: Grid, cells: NDArray[np.int32]) -> None:
    """Note in [candidates] the cell that each falls into."""
    choices, steps = candidates.increments.shape[1], grid.side - 1
    for state in range(len(candidates.sums)):
        sums = candidates.sums[state]
        increments = candidates.increments[candidates.labels[state]]
        for choice in range(choices):
            cell = choice if grid.is_linked else 0
            for axis in range(1, len(sums)):
                beyond = sums[axis] + increments[choice, axis] - grid.lowest[axis]
                place = math.ceil(math.sqrt(beyond * grid.per_range[axis]) * steps)
                cell = cell * grid.side + min(place, steps)
            cells[state * choices + choice] = cell


@_kernel
def least_in_cells(
    candidates: Candidates, cells: NDArray[np.int32], best: Integers, chosen: Integers
) -> None:
    """Note the least error in each cell and the candidate that has it.

    Of equal errors the lexicographically first sums are chosen.

    Args:
        candidates: what falls into the cells.
        cells: [candidates], into which.
        best: [cells], the least errors; filled with the largest integer before.
        chosen: [cells], the candidates; filled with −1 before.
    """
    choices = candidates.increments.shape[1]
    for state in range(len(candidates.sums)):
        increments = candidates.increments[candidates.labels[state]]
        for choice in range(choices):
            error = candidates.sums[state, 0] + increments[choice, 0]
            candidate = state * choices + choice
            cell = cells[candidate]
            if error < best[cell] or (
                error == best[cell] and _precedes(candidates, candidate, chosen[cell])
            ):
                best[cell] = error
                chosen[cell] = candidate


@_kernel
def _precedes(candidates: Candidates, one: int, other: int) -> bool:
    """Whether the sums of one candidate come before those of another lexicographically."""
    if other < 0:
        return True
    choices = candidates.increments.shape[1]
    states = one // choices, other // choices
    rows = (
        candidates.increments[candidates.labels[states[0]], one % choices],
        candidates.increments[candidates.labels[states[1]], other % choices],
    )
    for axis in range(candidates.sums.shape[1]):
        first = candidates.sums[states[0], axis] + rows[0][axis]
        second = candidates.sums[states[1], axis] + rows[1][axis]
        if first != second:
            return bool(first < second)
    return False


@_kernel
def below_floors(
    candidates: Candidates, cells: NDArray[np.int32], floors: Integers, found: Integers
) -> int:
    """Collect the candidates with less error than the floor of their cell.

    Args:
        candidates: what falls into the cells.
        cells: [candidates], into which.
        floors: [cells].
        found: filled with candidates as far as it goes.

    Returns:
        How many there are, those without a place in ``found`` included.
    """
    choices = candidates.increments.shape[1]
    count = 0
    for state in range(len(candidates.sums)):
        increments = candidates.increments[candidates.labels[state]]
        for choice in range(choices):
            candidate = state * choices + choice
            error = candidates.sums[state, 0] + increments[choice, 0]
            if error < floors[cells[candidate]]:
                if count < len(found):
                    found[count] = candidate
                count += 1
    return count


@_kernel
def sums_of(candidates: Candidates, found: Integers, sums: Integers) -> None:
    """Note the sums of some candidates in [candidates, objectives]."""
    choices = candidates.increments.shape[1]
    for place in range(len(found)):
        state, choice = found[place] // choices, found[place] % choices
        row = candidates.increments[candidates.labels[state], choice]
        for axis in range(sums.shape[1]):
            sums[place, axis] = candidates.sums[state, axis] + row[axis]


@_kernel
def add_entries(tables: Integers, policies: NDArray[np.int32], sums: Integers) -> None:
    """Add to [policies, objectives] the entry of every layer's choice.

    Args:
        tables: [layers, choices, objectives].
        policies: [policies, layers], choices that exist.
        sums: what is added to.
    """
    for policy in range(len(policies)):
        for layer in range(len(tables)):
            row = tables[layer, policies[policy, layer]]
            for objective in range(len(row)):
                sums[policy, objective] += row[objective]


@_kernel
def add_link(
    link: Integers, first: int, second: int, policies: NDArray[np.int32], sums: Integers
) -> None:
    """Add to [policies, objectives] what the choices of two layers add together.

    Args:
        link: [choices of the first, choices of the second, objectives].
        first: the one layer.
        second: the other.
        policies: [policies, layers], choices that exist.
        sums: what is added to.
    """
    for policy in range(len(policies)):
        row = link[policies[policy, first], policies[policy, second]]
        for objective in range(len(row)):
            sums[policy, objective] += row[objective]


@_kernel
def volume_of_three(points: Reals, reference: Reals) -> float:
    """The volume that points dominate up to a reference, three objectives to keep small.

    A plane rises along the third objective. The area that the points below it dominate is bounded
    by a staircase, of which every point that the plane meets may replace some steps.

    Args:
        points: [points, 3], rising in the third, all of them below the reference in each.
        reference: [3].
    """
    across, down = np.empty(len(points) + 1), np.empty(len(points) + 1)  # rising, falling
    steps, area, volume, height = 0, 0.0, 0.0, reference[2]
    across[0] = reference[0]
    for point in range(len(points)):
        x, y, z = points[point]
        volume += area * (z - height)
        height = z
        first = np.searchsorted(across[:steps], x)
        if (first > 0 and down[first - 1] <= y) or (
            first < steps and across[first] == x and down[first] <= y
        ):
            continue
        gained = (across[first] - x) * ((down[first - 1] if first > 0 else reference[1]) - y)
        last = first
        while last < steps and down[last] >= y:
            gained += (across[last + 1] - across[last]) * (down[last] - y)
            last += 1
        # One step replaces first … last − 1; the reference ends the staircase.
        kept = steps - last
        across[first + 1 : first + 2 + kept] = across[last : steps + 1].copy()
        down[first + 1 : first + 1 + kept] = down[last:steps].copy()
        across[first], down[first] = x, y
        steps = first + 1 + kept
        area += gained
    return float(volume + area * (reference[2] - height))
