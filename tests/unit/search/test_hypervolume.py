"""The hypervolume against moocore, and against figures that one can see."""

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.hypervolume import added_areas, hypervolume


@settings(deadline=None, max_examples=200)  # the first call compiles
@given(st.integers(0, 2**32 - 1), st.sampled_from((2, 3)), st.sampled_from((None, 4)))
def test_it_is_what_moocore_computes(seed: int, objectives: int, steps: int | None) -> None:
    random = np.random.default_rng(seed)
    points = random.random((random.integers(1, 60), objectives))
    if steps is not None:  # ties
        points = np.round(points * steps) / steps
    reference = random.uniform(0.5, 1.1, objectives)
    expected = moocore.hypervolume(points, ref=reference)
    assert hypervolume(points, reference) == pytest.approx(expected, abs=1e-12)


def test_two_steps_under_a_corner() -> None:
    points = np.array([[1.0, 2.0], [2.0, 1.0], [2.5, 2.5], [0.0, 3.0]])
    assert hypervolume(points, (3, 3)) == 2 * 1 + 1 * 1
    assert hypervolume(points[::-1], (3, 3)) == 3


def test_a_box_counts_once() -> None:
    points = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [2.0, 2.0, 0.0], [1.0, 1.0, 2.0]])
    assert hypervolume(points, (3, 3, 3)) == 2 * 2 * 2 + 1 * 1 * 1


def test_nothing_inside_is_nothing() -> None:
    assert hypervolume(np.zeros((0, 3)), (1, 1, 1)) == 0
    assert hypervolume(np.array([[1.0, 0.0]]), (1, 1)) == 0


def test_four_objectives_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2 or 3 objectives.*given \(2, 4\) and 4"):
        hypervolume(np.zeros((2, 4)), (1, 1, 1, 1))


@given(st.integers(0, 2**32 - 1), st.sampled_from((None, 4)))
def test_what_a_candidate_adds_is_the_difference_with_and_without_it(
    seed: int, steps: int | None
) -> None:
    random = np.random.default_rng(seed)
    points, candidates = random.random((random.integers(0, 9), 2)), random.random((20, 2))
    if steps is not None:
        points, candidates = np.round(points * steps) / steps, np.round(candidates * steps) / steps
    reference = random.uniform(0.3, 1.1, 2)
    without = hypervolume(points, reference)
    expected = [
        hypervolume(np.concatenate([points, [candidate]]), reference) - without
        for candidate in candidates
    ]
    np.testing.assert_allclose(added_areas(points, candidates, reference), expected, atol=1e-12)
