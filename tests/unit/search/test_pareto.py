"""The solver against enumeration of every combination."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.search.pareto import Choices, Front, bottleneck_front, pareto_front
from quant.common.errors import UserError

# Few distinct values, so that ties and duplicates are common; negative costs, as tables have.
SMALL = st.integers(-4, 12)


def choices(errors: list[int], costs: list[int]) -> Choices:
    return Choices(np.array(errors, np.int64), np.array(costs, np.int64))


@st.composite
def problems(draw: st.DrawFn, values: st.SearchStrategy[int] = SMALL) -> list[Choices]:
    layers = draw(st.integers(1, 4))
    counts = [draw(st.integers(1, 5)) for _ in range(layers)]
    return [
        choices(
            draw(st.lists(values, min_size=count, max_size=count)),
            draw(st.lists(values, min_size=count, max_size=count)),
        )
        for count in counts
    ]


def every_sum(problem: list[Choices]) -> list[tuple[int, int]]:
    options = [
        list(zip(map(int, layer.errors), map(int, layer.costs), strict=True)) for layer in problem
    ]
    return [
        (sum(error for error, _ in picked), sum(cost for _, cost in picked))
        for picked in product(*options)
    ]


def undominated(sums: list[tuple[int, int]]) -> set[tuple[int, int]]:
    return {
        point
        for point in sums
        if not any(
            other != point and other[0] <= point[0] and other[1] <= point[1] for other in sums
        )
    }


def found(front: Front) -> list[tuple[int, int]]:
    return list(zip(map(int, front.errors), map(int, front.costs), strict=True))


@given(problems() | problems(st.integers(-(2**58), 2**58)))
def test_front_equals_brute_force(problem: list[Choices]) -> None:
    front = pareto_front(problem)
    assert set(found(front)) == undominated(every_sum(problem))
    assert len(front) == len(set(found(front)))


@given(problems())
def test_choices_of_every_point_add_up_to_it(problem: list[Choices]) -> None:
    front = pareto_front(problem)
    for point, sums in enumerate(found(front)):
        picked = front.choices(point)
        assert sums == (
            sum(int(layer.errors[pick]) for layer, pick in zip(problem, picked, strict=True)),
            sum(int(layer.costs[pick]) for layer, pick in zip(problem, picked, strict=True)),
        )


@given(problems())
def test_points_run_from_cheap_to_faithful(problem: list[Choices]) -> None:
    front = pareto_front(problem)
    assert (np.diff(front.costs) > 0).all()
    assert (np.diff(front.errors) < 0).all()


@given(problems(), SMALL)
def test_the_largest_cost_may_count_instead_of_the_sum(problem: list[Choices], floor: int) -> None:
    options = [list(zip(layer.errors, layer.costs, strict=True)) for layer in problem]
    sums = [
        (sum(int(e) for e, _ in picked), max(floor, *(int(c) for _, c in picked)))
        for picked in product(*options)
    ]
    front = bottleneck_front(problem, floor)
    assert set(found(front)) == undominated(sums)
    assert len(front) == len(set(found(front)))
    for point, (error, most) in enumerate(found(front)):
        picked = list(zip(problem, front.choices(point), strict=True))
        assert error == sum(int(layer.errors[pick]) for layer, pick in picked)
        assert most == max(floor, *(int(layer.costs[pick]) for layer, pick in picked))


def test_single_choices_leave_one_point() -> None:
    front = pareto_front([choices([3], [5]), choices([1], [-2])])
    assert found(front) == [(4, 3)]
    assert front.choices(0) == (0, 0)


def test_a_front_too_large_to_join_is_refused() -> None:
    problem = [choices([3, 2, 1], [1, 2, 3])] * 4
    with pytest.raises(UserError, match=r"first 2 of 4 layers has 5 points.*3 choices"):
        pareto_front(problem, maximum_pairs=14)


def test_a_network_of_36_layers_takes_seconds() -> None:
    random = np.random.default_rng(5)
    errors = np.sort(random.integers(0, 10**12, (36, 25)), axis=1)[:, ::-1]
    costs = np.sort(random.integers(0, 10**10, (36, 25)), axis=1)
    started = time.process_time()
    front = pareto_front([Choices(*layer) for layer in zip(errors, costs, strict=True)])
    assert time.process_time() - started < 20
    assert len(front) > 1000
