import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.pareto import Choices, pareto_front
from hwsim.search.policy_sums import policy_sums
from hwsim.search.weighted import least_weighted, sweep
from tests.unit.search.additive_problems import (
    Integers,
    Links,
    additive_problems,
    every_total,
    network_problem,
)


@settings(deadline=None)
@given(additive_problems() | additive_problems(linked=True), st.integers(0, 2**32 - 1))
def test_no_policy_weighs_less(problem: tuple[list[Integers], Links], seed: int) -> None:
    layers, links = problem
    weights = np.random.default_rng(seed).random((300, layers[0].shape[1]))
    picks = least_weighted(layers, weights, links)
    every = np.array(sorted(every_total(layers, links)), np.float64)
    found = (policy_sums(layers, picks, links) * weights).sum(axis=1)
    least = (every @ weights.T).min(axis=0)
    np.testing.assert_allclose(found, least, rtol=1e-9, atol=1e-9 * np.abs(every).max())


def test_a_sweep_finds_points_of_the_front_from_one_end_to_the_other() -> None:
    problem = network_problem(12, 2)
    front = pareto_front([Choices(layer[:, 0], layer[:, 1]) for layer in problem])
    sums = policy_sums(problem, sweep(problem, 200))
    points = {tuple(map(int, row)) for row in sums}
    on_front = set(zip(map(int, front.errors), map(int, front.costs), strict=True))
    assert points <= on_front
    assert len(points) > 40
    assert sums[:, 1].min() == front.costs[0]
    assert sums[:, 0].min() == front.errors[-1]


def test_links_change_what_neighbours_choose() -> None:
    layer = np.array([[0, 10], [10, 0]])
    apart = np.zeros((2, 2, 2), np.int64)
    apart[[0, 1], [0, 1], 0] = 100  # the same choice of both is a large error
    sums = policy_sums([layer, layer], sweep([layer, layer], 5, [apart]), [apart])
    assert {tuple(row) for row in sums} == {(10, 10)}


def test_layers_without_a_trade_have_one_policy() -> None:
    assert sweep([np.array([[1, 1], [2, 2]])], 5).tolist() == [[0]]
