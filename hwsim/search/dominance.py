"""Which of many points no other equals or beats, for two to four sums to keep small.

Points are taken in lexicographic order, so that only an earlier one can beat a later; whether one
does in the other objectives is asked of a tree of prefix minima. With four objectives the order is
halved again and again, after Bentley, "Multidimensional divide-and-conquer", Communications of the
ACM 23(4), 1980. Time is n·log n for three objectives, n·log² n for four.
"""

import numpy as np
from numpy.typing import NDArray

from hwsim.search._kernels import undominated_of_four, undominated_of_three

Integers = NDArray[np.int64]

OBJECTIVES = (2, 3, 4)
"""How many objectives points may have."""


def undominated_points(points: Integers) -> NDArray[np.intp]:
    """The points that no other equals or beats in every objective; of equal ones the first.

    Args:
        points: int64 [points, objectives], each objective better the less it is.

    Returns:
        Their indices, points in lexicographic order.
    """
    objectives = points.shape[1]
    if objectives not in OBJECTIVES:
        raise ValueError(f"expected points of {OBJECTIVES} objectives, given {objectives}")
    columns = [np.ascontiguousarray(column) for column in points.T]
    order = _lexicographic_order(columns)
    columns = [column[order] for column in columns]
    if objectives == 2:
        return order[_undominated_of_two(columns[1])]
    ranks, ranks_in_all = _ranks(columns[-2])
    if objectives == 3:
        return order[undominated_of_three(ranks, columns[2], ranks_in_all)]
    return order[undominated_of_four(columns[1], ranks, columns[3], ranks_in_all)]


def _lexicographic_order(columns: list[Integers]) -> NDArray[np.intp]:
    """Sorts by the first column, and only what is equal there by the others."""
    order = np.argsort(columns[0])
    first = columns[0][order]
    equals_last = np.zeros(len(order) + 1, np.bool_)
    equals_last[1:-1] = first[1:] == first[:-1]
    tied = equals_last[1:] | equals_last[:-1]
    among = np.sort(order[tied])  # so that of equal points the first comes first
    order[tied] = among[np.lexsort([column[among] for column in reversed(columns)])]
    return order


def _undominated_of_two(second: Integers) -> NDArray[np.bool_]:
    kept = np.ones(len(second), np.bool_)
    kept[1:] = second[1:] < np.minimum.accumulate(second)[:-1]
    return kept


def _ranks(values: Integers) -> tuple[Integers, int]:
    """The place of each value among the distinct ones, and how many there are."""
    distinct, ranks = np.unique(values, return_inverse=True)
    return ranks.astype(np.int64), len(distinct)
