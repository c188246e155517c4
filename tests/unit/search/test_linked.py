"""Fronts of linked layers against enumeration."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.divided import DividedModel
from hwsim.search.linked import Picks, linked_bottleneck_front, linked_front
from hwsim.search.pareto import Choices
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import Resource
from quant.common.errors import UserError
from tests.unit.search.additive_problems import (
    Integers,
    Links,
    additive_problems,
    best_of,
    every_total,
    total,
)
from tests.unit.search.models import every_policy, models

Problem = tuple[list[Integers], Links]


def choices_of(layers: list[Integers]) -> list[Choices]:
    return [Choices(layer[:, 0], layer[:, 1]) for layer in layers]


def policies(picks: Picks) -> list[tuple[int, ...]]:
    return [tuple(map(int, policy)) for policy in np.array(picks).T]


@settings(deadline=None)
@given(additive_problems(2, linked=True))
def test_the_front_is_that_of_enumeration(problem: Problem) -> None:
    layers, links = problem
    found = [
        total(layers, links, policy) for policy in policies(linked_front(choices_of(layers), links))
    ]
    assert len(found) == len(set(found))
    assert set(found) == best_of(every_total(layers, links))


@settings(deadline=None)
@given(additive_problems(2, linked=True), st.integers(-2, 2))
def test_the_largest_cost_may_count_instead_of_the_sum(problem: Problem, floor: int) -> None:
    layers, links = problem
    errors = [None if link is None else link[..., :1] for link in links]

    def error_and_most(policy: tuple[int, ...]) -> tuple[int, int]:
        error = total([layer[:, :1] for layer in layers], errors, policy)[0]
        costs = [int(layer[pick, 1]) for layer, pick in zip(layers, policy, strict=True)]
        return error, max(floor, *costs)

    every = {error_and_most(p) for p in product(*(range(len(layer)) for layer in layers))}
    found = linked_bottleneck_front(choices_of(layers), errors, floor)
    assert best_of(every) <= {error_and_most(policy) for policy in policies(found)}


@settings(max_examples=60, deadline=None)
@given(models(cascades=False), st.sampled_from(tuple(Resource)))
def test_the_front_of_a_model_is_what_no_policy_beats(
    model: DividedModel, resource: Resource
) -> None:
    front = model.front(resource)
    every = {
        (round(each.mse * UNITS_PER_SQUARED_CODE), each.cost(resource))
        for each in every_policy(model)
    }
    assert set(zip(map(int, front.errors), map(int, front.costs), strict=True)) == best_of(every)


def test_a_front_too_large_to_compare_is_refused() -> None:
    layer = Choices(np.arange(9)[::-1] * 7 % 11, np.arange(9) ** 2)
    link = np.random.default_rng(0).integers(0, 9, (9, 9, 2))
    with pytest.raises(UserError, match=r"more than 20 partial policies compared; allow fewer"):
        linked_front([layer] * 4, [link] * 3, maximum_compared=20)
