"""The integer program against enumeration of every combination, and against the exact front."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search import optimum as module
from hwsim.search.integer_program import Limited, Links
from hwsim.search.optimum import least_sum
from hwsim.search.pareto import Choices, Integers, pareto_front
from quant.common.errors import UserError

SMALL = st.integers(-4, 12)
LARGE = st.integers(-(10**12), 10**12)
Rows = list[Integers]


def integers(*rows: list[int]) -> Rows:
    return [np.array(row, np.int64) for row in rows]


@st.composite
def problems(
    draw: st.DrawFn, entries: st.SearchStrategy[int], linked: bool = False
) -> tuple[Limited, list[Limited]]:
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))

    def table() -> Rows:
        return integers(
            *(draw(st.lists(entries, min_size=count, max_size=count)) for count in counts)
        )

    def links() -> Links:
        shapes = list(pairwise(counts))
        if not linked:
            return ()
        return [
            np.array([draw(entries) for _ in range(rows * columns)], np.int64).reshape(rows, -1)
            if draw(st.booleans())
            else None
            for rows, columns in shapes
        ]

    def limit() -> Limited:
        summed = Limited(table(), None, links())
        # As tight as some combination: exactly on the edge, where tolerances would show.
        some = total(summed, tuple(draw(st.integers(0, count - 1)) for count in counts))
        return replace(summed, most=some + draw(st.integers(-1, 1)))

    values = Limited(table(), None, links())
    return values, [limit() for _ in range(draw(st.integers(0, 3)))]


def total(summed: Limited, picks: tuple[int, ...]) -> int:
    own = sum(int(row[pick]) for row, pick in zip(summed.amounts, picks, strict=True))
    pairs = zip(summed.links, pairwise(picks), strict=bool(summed.links))
    return own + sum(int(link[pair]) for link, pair in pairs if link is not None)


def keeps(limit: Limited, picks: tuple[int, ...]) -> bool:
    assert limit.most is not None
    return total(limit, picks) <= limit.most


def least_of_all(values: Limited, limits: list[Limited]) -> int | None:
    every = product(*(range(len(row)) for row in values.amounts))
    fitting = [
        total(values, picks) for picks in every if all(keeps(limit, picks) for limit in limits)
    ]
    return min(fitting, default=None)


@settings(max_examples=100, deadline=None)
@given(
    problems(SMALL) | problems(LARGE) | problems(SMALL, linked=True) | problems(LARGE, linked=True)
)
def test_the_optimum_is_that_of_enumeration(problem: tuple[Limited, list[Limited]]) -> None:
    values, limits = problem
    expected = least_of_all(values, limits)
    found = least_sum(values.amounts, limits, links=values.links)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert found.value == expected == total(values, found.picks)
    assert all(keeps(limit, found.picks) for limit in limits)
    tables = [table for table in (*values.amounts, *values.links) if table is not None]
    assert 0 <= found.value - found.bound <= 1e-7 * sum(int(np.ptp(table)) for table in tables)


def table(seed: int, layers: int, choices: int) -> tuple[Rows, Rows]:
    """Falling errors over several orders of magnitude and rising costs, as networks have."""
    random = np.random.default_rng(seed)
    errors = random.lognormal(15, 3, (layers, choices)).astype(np.int64)
    costs = random.integers(0, 10**9, (layers, choices))
    return list(-np.sort(-errors, axis=1)), list(np.sort(costs, axis=1))


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_lies_on_the_exact_front(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    errors, costs = table(seed, 16, 9)
    front = pareto_front([Choices(e, c) for e, c in zip(errors, costs, strict=True)])
    for point in np.linspace(0, len(front) - 1, 4).astype(int):
        found = least_sum(costs, [Limited(errors, int(front.errors[point]))])
        assert found is not None
        assert found.value == found.bound == front.costs[point]
    assert capfd.readouterr().out == ""  # nothing among the JSON of --json


def test_the_search_tree_may_be_cut_short_and_the_gap_says_so() -> None:
    random = np.random.default_rng(1)
    # A knapsack with values close to weights: hard, so that a single node proves nothing.
    weights = [np.array([0, w], np.int64) for w in random.integers(10**8, 2 * 10**8, 40)]
    values = [
        -row - np.array([0, extra])
        for row, extra in zip(weights, random.integers(0, 10**7, 40), strict=True)
    ]
    limits = [Limited(weights, 2 * 10**9 + 1), Limited([row[::-1] for row in weights], 4 * 10**9)]
    cut_short = least_sum(values, limits, maximum_nodes=1)
    assert cut_short is not None
    assert cut_short.bound < cut_short.value


def test_a_search_tree_cut_short_without_any_answer_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Unfinished:
        x, status, message = None, 1, "node limit reached"

    monkeypatch.setattr("scipy.optimize.milp", lambda *_, **__: Unfinished)
    with pytest.raises(
        UserError,
        match=r"expected a policy within the limits or a proof that there is none after 7 nodes "
        r"of the solver, found neither \(node limit reached\); relax a limit or allow fewer widths",
    ):
        least_sum(integers([1, 2], [2, 0]), [Limited(integers([5, 1], [1, 3]), 6)], 7)


def test_an_answer_that_breaks_a_limit_by_a_rounding_is_not_taken() -> None:
    # The cheap combination is 1 in 10^15 beyond the limit, far below the solver's tolerance.
    most = 10**15
    values = integers([0, 5], [0, 5])
    amounts = integers([most - 1, 0], [2, 0])
    found = least_sum(values, [Limited(amounts, most)])
    assert found is not None
    assert (found.value, found.bound) == (5, 5)
    assert total(Limited(amounts, most), found.picks) <= most


def test_giving_up_on_roundings_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM_EXCLUSIONS", 1)
    amounts = integers([10**15 - 1, 0], [2, 0])
    with pytest.raises(UserError, match=r"but 1 of its answers broke one.*change a limit a little"):
        least_sum(integers([0, 5], [0, 5]), [Limited(amounts, 10**15)])
