import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.policy_sums import policy_sums
from tests.unit.search.additive_problems import (
    Integers,
    Links,
    additive_problems,
    network_problem,
    total,
)


@settings(deadline=None)  # the first call compiles
@given(additive_problems() | additive_problems(linked=True), st.integers(0, 2**32 - 1))
def test_every_policy_gets_its_own_sums(problem: tuple[list[Integers], Links], seed: int) -> None:
    layers, links = problem
    random = np.random.default_rng(seed)
    policies = random.integers(0, [len(layer) for layer in layers], (7, len(layers)))
    sums = policy_sums(layers, policies, links)
    for found, policy in zip(sums, policies, strict=True):
        assert tuple(found) == total(layers, links, tuple(policy))


def test_choices_a_layer_does_not_have_are_refused() -> None:
    layers = [np.zeros((2, 1), np.int64), np.zeros((3, 1), np.int64)]
    for policies in ([[2, 0]], [[0, -1]]):
        with pytest.raises(ValueError, match="choices that their layers have"):
            policy_sums(layers, np.array(policies))
    with pytest.raises(ValueError, match=r"\[policies, 2\] choices, given \(1, 3\)"):
        policy_sums(layers, np.zeros((1, 3), np.int64))


def test_a_million_policies_of_36_layers_take_no_more_than_seconds() -> None:
    problem = network_problem(36, 3)
    random = np.random.default_rng(1)
    policies = random.integers(0, 49, (1_000_000, 36), np.int32)
    policy_sums(problem, policies[:1])  # compiles
    started = time.process_time()
    policy_sums(problem, policies)
    assert time.process_time() - started < 3  # a tenth of a second or two on an idle machine
