"""The local search where figures do not add up."""

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import pytest

from hwsim.search.hypervolume import hypervolume
from hwsim.search.local_search import BATCH, Pair, Policy, Steps, local_search
from quant.policy import LayerBits

WIDTHS = (2, 4, 8)
CHOICES = tuple(LayerBits(w, a) for w in WIDTHS for a in WIDTHS)
LAYERS = 4
REFERENCE = (4.0, 1.1)
RANDOM = np.random.default_rng(0)
ERROR = RANDOM.uniform(0.5, 2, (LAYERS, 1)) * [2.0**-w + 2.0**-a for w in WIDTHS for a in WIDTHS]
COST = RANDOM.uniform(0.5, 2, (LAYERS, 1)) * [w * a for w in WIDTHS for a in WIDTHS]
STEPS = Steps.of(CHOICES, [range(len(CHOICES))] * LAYERS)


def alone(policies: Sequence[Policy]) -> list[Pair | None]:
    """What adds up, layer by layer."""
    rows = np.arange(LAYERS)
    return [
        (
            float(np.log10(ERROR[rows, policy].sum()) + 3),
            float(COST[rows, policy].sum() / COST.max(axis=1).sum()),
        )
        for policy in map(list, policies)
    ]


def coupled(policies: Sequence[Policy]) -> list[Pair | None]:
    """Every change of activations between neighbours costs, and some policies have no room."""
    figures: list[Pair | None] = []
    for policy, pair in zip(policies, alone(policies), strict=True):
        assert pair is not None
        switches = sum(one % 3 != other % 3 for one, other in pairwise(policy))
        has_room = policy[:2] != (8, 8)
        figures.append((pair[0], pair[1] + 0.05 * switches) if has_room else None)
    return figures


def volume(known: dict[Policy, Pair]) -> float:
    return hypervolume(np.array(list(known.values())), REFERENCE)


def uniform() -> dict[Policy, Pair]:
    policies = [(choice,) * LAYERS for choice in (0, 4)]
    return {
        p: pair for p, pair in zip(policies, coupled(policies), strict=True) if pair is not None
    }


def search(evaluations: int, seed: int = 0, pool: Sequence[Policy] = ()) -> dict[Policy, Pair]:
    start = uniform()
    return local_search(start, STEPS, coupled, alone, REFERENCE, evaluations, pool, seed)


def test_steps_change_one_width_by_one_step_or_exchange_two_layers() -> None:
    w4a4 = CHOICES.index(LayerBits(4, 4))
    w2a4 = CHOICES.index(LayerBits(2, 4))
    steps = Steps.of(CHOICES, [range(len(CHOICES)), [w4a4, w2a4]])
    near = {tuple(str(CHOICES[choice]) for choice in p) for p in steps.around((w4a4, w2a4))}
    assert near == {
        *((first, "w2a4") for first in ("w2a4", "w8a4", "w4a2", "w4a8")),
        ("w4a4", "w4a4"),
        ("w2a4", "w4a4"),
    }


def test_what_a_layer_may_not_have_is_stepped_over() -> None:
    few = [CHOICES.index(LayerBits.parse(bits)) for bits in ("w2a2", "w8a2", "w8a8")]
    steps = Steps.of(CHOICES, [few])
    assert steps.around((few[0],)) == [(few[1],)]
    assert steps.around((few[1],)) == [(few[0],), (few[2],)]


def test_a_budget_for_everything_finds_the_best_of_everything() -> None:
    every = list(product(range(len(CHOICES)), repeat=LAYERS))
    truth = {p: pair for p, pair in zip(every, coupled(every), strict=True) if pair is not None}
    found = search(800)
    assert volume(uniform() | found) >= 0.999 * volume(truth)


def test_it_finds_what_random_policies_do_not() -> None:
    found = search(60)
    random = np.random.default_rng(1)
    others = [tuple(map(int, row)) for row in random.integers(0, len(CHOICES), (60, LAYERS))]
    by_chance = {p: q for p, q in zip(others, coupled(others), strict=True) if q is not None}
    assert volume(uniform() | found) > 1.02 * volume(uniform() | by_chance)


def test_it_is_the_same_for_the_same_seed() -> None:
    assert list(search(30).items()) == list(search(30).items())
    assert list(search(30)) != list(search(30, seed=1))


def test_no_policy_is_evaluated_twice_or_beyond_the_budget() -> None:
    asked: list[Policy] = []

    def evaluate(policies: Sequence[Policy]) -> list[Pair | None]:
        assert len(policies) <= BATCH
        asked.extend(policies)
        return coupled(policies)

    start = uniform()
    found = local_search(start, STEPS, evaluate, alone, REFERENCE, 37)
    assert len(asked) == len(set(asked)) == 37
    assert not set(asked) & set(start)
    assert list(found) == [policy for policy in asked if policy in found]
    assert all(found[policy] == coupled([policy])[0] for policy in found)


def test_it_ends_where_nothing_is_left_to_try() -> None:
    steps = Steps.of(CHOICES, [[0, 1]] * LAYERS)
    (first,) = coupled([(0,) * LAYERS])
    assert first is not None
    start = {(0,) * LAYERS: first}
    found = local_search(start, steps, coupled, alone, REFERENCE, 1000)
    known = start | found
    best = [p for p in known if not any(np.less(other, known[p]).all() for other in known.values())]
    assert len(best) > 1
    assert all(set(steps.around(policy)) <= set(known) for policy in best)


def test_policies_of_the_pool_are_tried_without_steps_to_them() -> None:
    nowhere = Steps.of(CHOICES, [[0]] * LAYERS)
    pool = [(4,) * LAYERS, (5,) * LAYERS]
    start: dict[Policy, Pair] = {(0,) * LAYERS: (2.0, 0.5)}
    found = local_search(start, nowhere, coupled, alone, REFERENCE, 10, pool)
    assert set(found) == set(pool)


@pytest.mark.parametrize("start", [{}, {(0,) * LAYERS: (9.0, 9.0)}])
def test_without_a_start_within_the_reference_nothing_is_tried(start: dict[Policy, Pair]) -> None:
    assert local_search(start, STEPS, coupled, alone, REFERENCE, 10) == {}


def test_without_predictions_steps_are_taken_at_random() -> None:
    start = uniform()
    found = local_search(start, STEPS, coupled, lambda p: [None] * len(p), REFERENCE, 40)
    assert len(found) >= 38
    assert volume(start | found) > volume(start)
