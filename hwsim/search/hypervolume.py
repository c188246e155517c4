"""How good a set of trades is in one number: what it dominates up to a reference point.

Defined by Zitzler and Thiele, "Multiobjective optimization using evolutionary algorithms: a
comparative case study", PPSN V, 1998. Exact, not sampled.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.search._kernels import volume_of_three

Reals = NDArray[np.float64]


def hypervolume(points: Reals, reference: Sequence[float]) -> float:
    """The area or volume that points dominate up to a reference point.

    Args:
        points: [points, objectives], two or three, each better the less it is. Those that are not
            below the reference in every objective count for nothing.
        reference: [objectives].
    """
    corner = np.asarray(reference, np.float64)
    if points.ndim != 2 or points.shape[1] != len(corner) or len(corner) not in (2, 3):
        raise ValueError(
            f"expected points of 2 or 3 objectives and a reference of as many, given "
            f"{points.shape} and {len(corner)}"
        )
    inside = points[(points < corner).all(axis=1)]
    inside = inside[np.argsort(inside[:, -1])]
    if len(corner) == 3:
        return float(volume_of_three(np.ascontiguousarray(inside, np.float64), corner))
    nearest = np.minimum.accumulate(np.append(corner[0], inside[:, 0]))
    return float(((nearest[:-1] - nearest[1:]) * (corner[1] - inside[:, 1])).sum())


def added_areas(points: Reals, candidates: Reals, reference: Sequence[float]) -> Reals:
    """The area that each candidate by itself would add to that of points, two objectives.

    Args:
        points: [points, 2], each objective better the less it is.
        candidates: [candidates, 2].
        reference: [2].

    Returns:
        [candidates].
    """
    rows = points[np.argsort(points[:, 1])]
    edges = np.minimum([-np.inf, *rows[:, 1], reference[1]], reference[1])
    levels = np.minimum.accumulate(np.array([reference[0], *rows[:, 0]]))  # between the edges
    widths = np.maximum(edges[1:] - np.maximum(edges[:-1], candidates[:, 1:]), 0)
    below = np.maximum(levels - candidates[:, :1], 0)
    return np.asarray((widths * below).sum(axis=1))
