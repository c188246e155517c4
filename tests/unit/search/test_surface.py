"""The surface against enumeration, and what is left of it where it is trimmed."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.dominance import undominated_points
from hwsim.search.pareto import Choices, pareto_front
from hwsim.search.surface import Surface, pareto_surface
from tests.unit.search.additive_problems import (
    Integers,
    Links,
    additive_problems,
    best_of,
    every_total,
    network_problem,
    total,
)


def rows(surface: Surface) -> list[tuple[int, ...]]:
    return [tuple(map(int, row)) for row in surface.sums]


@settings(deadline=None)  # the first call compiles
@given(additive_problems() | additive_problems(linked=True))
def test_an_exact_surface_equals_enumeration(problem: tuple[list[Integers], Links]) -> None:
    surface = pareto_surface(*problem)
    assert surface.exact
    assert set(rows(surface)) == best_of(every_total(*problem))
    assert len(surface) == len(set(rows(surface)))


@settings(deadline=None)  # the first call compiles
@given(additive_problems() | additive_problems(linked=True), st.sampled_from((1, 10, 1 << 20)))
def test_choices_of_every_point_add_up_to_it(
    problem: tuple[list[Integers], Links], maximum_compared: int
) -> None:
    surface = pareto_surface(*problem, maximum_compared)
    for sums, picks in zip(rows(surface), surface.choices(), strict=True):
        assert total(*problem, tuple(picks)) == sums


def test_choices_of_some_points_are_those_of_all() -> None:
    surface = pareto_surface(network_problem(5, 2))
    some = np.array([3, 0])
    np.testing.assert_array_equal(surface.choices(some), surface.choices()[some])


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_trimmed_surfaces_are_undominated_and_have_the_least_of_every_sum(objectives: int) -> None:
    problem = network_problem(12, objectives)
    surface = pareto_surface(problem, maximum_compared=1000)
    assert not surface.exact
    assert len(undominated_points(surface.sums)) == len(surface) > 300
    least = sum(layer.min(axis=0) for layer in problem)
    np.testing.assert_array_equal(surface.sums.min(axis=0), least)


def test_trimmed_points_stand_near_those_of_the_exact_surface() -> None:
    problem = network_problem(12, 3)
    exact, trimmed = pareto_surface(problem), pareto_surface(problem, maximum_compared=1000)
    assert exact.exact
    low, high = exact.sums.min(axis=0), exact.sums.max(axis=0)
    # For each exact point a trimmed one that has hardly more of anything.
    more = (trimmed.sums[None] - exact.sums[::50, None]) / (high - low)
    assert more.max(axis=2).min(axis=1).max() < 0.005


def test_two_sums_give_the_exact_front() -> None:
    problem = network_problem(36, 2)
    front = pareto_front([Choices(layer[:, 0], layer[:, 1]) for layer in problem])
    expected = list(zip(map(int, front.errors), map(int, front.costs), strict=True))
    assert sorted(rows(pareto_surface(problem))) == sorted(expected)


def test_three_sums_of_36_layers_with_49_choices_take_seconds() -> None:
    problem = network_problem(36, 3)
    pareto_surface(problem[:3], maximum_compared=100)  # compiles
    started = time.process_time()
    surface = pareto_surface(problem)
    assert time.process_time() - started < 20  # about one on an idle machine
    assert len(surface) > 10_000
