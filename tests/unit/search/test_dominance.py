import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.dominance import undominated_points


@settings(deadline=None)  # the first call compiles
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.sampled_from((3, 8, 2**62)))
def test_what_is_left_is_what_comparing_all_pairs_leaves(
    seed: int, objectives: int, high: int
) -> None:
    random = np.random.default_rng(seed)
    points = random.integers(-high, high, (random.integers(1, 60), objectives))
    # Of equal points the first counts as better, so that one of them is left.
    beats = (points[:, None] <= points[None]).all(axis=2)
    equal = beats & beats.T
    earlier = np.arange(len(points))[:, None] < np.arange(len(points))
    expected = np.flatnonzero(~((beats & ~equal) | (equal & earlier)).any(axis=0))

    found = undominated_points(points)

    assert sorted(found) == list(expected)
    rows = [tuple(row) for row in points[found]]
    assert rows == sorted(rows)


def test_one_objective_is_no_trade() -> None:
    with pytest.raises(ValueError, match=r"expected points of \(2, 3, 4\) objectives, given 1"):
        undominated_points(np.zeros((3, 1), np.int64))
