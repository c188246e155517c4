"""Pareto local search: from measured policies on, one step at a time, by measurements.

Where errors or costs do not add up, the best policies are near those the tables predict, but not
among them. A step gives one layer's weights or activations the next width it may have, or exchanges
the bits of two layers (Paquete, Chiarandini and Stützle, "Pareto local optimum sets in the
biobjective traveling salesman problem: an experimental study", Metaheuristics for Multiobjective
Optimisation, 2004). There are hundreds of steps from every policy, so predictions choose among
them: a neighbour is expected at its policy's measured figures plus what is predicted to change.
Most of a batch are those that would add most to the hypervolume; some are taken at random, since
predictions may be wrong.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.hypervolume import added_areas
from quant.policy import LayerBits

Policy = tuple[int, ...]
"""For each group of layers the index of its choice."""
Pair = tuple[float, float]
"""Two figures to keep small."""
Evaluate = Callable[[Sequence[Policy]], Sequence[Pair | None]]
"""Both figures of each policy; None where there are none, such as without room."""

BATCH = 8
"""Policies that are evaluated together, by however many workers, so that results are the same."""
AT_RANDOM = 2
"""Of each batch, chosen without predictions."""
MOST_MEMBERS = 16
"""Policies from which steps are taken for one batch, at most."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Which policies are a step from one another.

    Attributes:
        next_to: for each group of layers, for each choice it may have, those next to it.
    """

    next_to: tuple[Mapping[int, tuple[int, ...]], ...]

    @classmethod
    def of(cls, choices: Sequence[LayerBits], usable: Sequence[Iterable[int]]) -> "Steps":
        """The steps among choices.

        Args:
            choices: what there is to choose from.
            usable: for each group of layers, the choices it may have.
        """
        return cls(tuple(_next_to(choices, tuple(of_group)) for of_group in usable))

    def around(self, policy: Policy) -> list[Policy]:
        """All policies one step away."""
        found = []
        for group, own in enumerate(policy):
            for choice in self.next_to[group].get(own, ()):
                found.append((*policy[:group], choice, *policy[group + 1 :]))
            for other in range(group + 1, len(policy)):
                theirs = policy[other]
                if own != theirs and theirs in self.next_to[group] and own in self.next_to[other]:
                    between = policy[group + 1 : other]
                    found.append((*policy[:group], theirs, *between, own, *policy[other + 1 :]))
        return found


def _next_to(
    choices: Sequence[LayerBits], usable: tuple[int, ...]
) -> Mapping[int, tuple[int, ...]]:
    """For each usable choice those with more or fewer bits that no other lies between."""
    widths = np.array([(choices[c].weight_bits, choices[c].activation_bits) for c in usable])
    at_most = np.asarray((widths[:, None] <= widths[None]).all(axis=2))
    less = at_most & ~at_most.T
    covers = less & ~(less[:, :, None] & less[None]).any(axis=1)
    near: NDArray[np.bool_] = covers | covers.T
    return {
        own: tuple(usable[place] for place in np.flatnonzero(near[row]))
        for row, own in enumerate(usable)
    }


def local_search(
    start: Mapping[Policy, Pair],
    steps: Steps,
    evaluate: Evaluate,
    expect: Evaluate,
    reference: Pair,
    evaluations: int,
    pool: Sequence[Policy] = (),
    seed: int = 0,
) -> dict[Policy, Pair]:
    """Policies near the best ones, evaluated; the same for the same seed.

    Args:
        start: evaluated policies.
        steps: which policies are near which.
        evaluate: the truth, in batches.
        expect: what is predicted, cheap.
        reference: beyond it figures count for nothing.
        evaluations: how many policies are evaluated, at most.
        pool: policies to be considered beside steps, such as those of the predicted front.
        seed: of the random numbers.

    Returns:
        What was evaluated and has figures, in the order of evaluation.
    """
    random = np.random.default_rng(seed)
    known, found = dict(start), dict[Policy, Pair]()
    tried = set(start)
    guesses = _Guesses(expect)
    while (left := evaluations + len(start) - len(tried)) > 0:
        front = _best(known, reference)
        near = _around(front, steps, tried, random)
        considered = near | _beside([each for each in pool if each not in tried], front, guesses)
        size = min(BATCH, left)
        batch = _promising(considered, known, front, guesses, reference, max(1, size - AT_RANDOM))
        others = _others(near, batch, guesses)
        batch += [others[index] for index in random.permutation(len(others))[: size - len(batch)]]
        if not batch:
            break
        tried.update(batch)
        for policy, figures in zip(batch, evaluate(batch), strict=True):
            if figures is not None:
                known[policy] = found[policy] = figures
    return found


class _Guesses:
    """What is predicted, asked once for each policy."""

    def __init__(self, expect: Evaluate) -> None:
        self._expect = expect
        self._known: dict[Policy, Pair | None] = {}

    def of(self, policies: Sequence[Policy]) -> list[Pair | None]:
        """The predictions of policies."""
        new = [policy for policy in policies if policy not in self._known]
        if new:
            self._known.update(zip(new, self._expect(new), strict=True))
        return [self._known[policy] for policy in policies]


def _best(known: Mapping[Policy, Pair], reference: Pair) -> list[Policy]:
    """The policies within the reference that no other beats, by rising second figure."""
    within = [policy for policy, pair in known.items() if all(np.less(pair, reference))]
    best: list[Policy] = []
    for policy in sorted(within, key=lambda policy: (known[policy][1], known[policy][0])):
        if not best or known[policy][0] < known[best[-1]][0]:
            best.append(policy)
    return best


def _around(
    front: Sequence[Policy], steps: Steps, tried: set[Policy], random: np.random.Generator
) -> dict[Policy, Policy]:
    """What was not tried and is a step from some of the best policies, and from which."""
    chosen = np.sort(random.permutation(len(front))[:MOST_MEMBERS])
    near: dict[Policy, Policy] = {}
    for member in chosen:
        for policy in steps.around(front[member]):
            if policy not in tried:
                near.setdefault(policy, front[member])
    return near


def _beside(
    pool: Sequence[Policy], front: Sequence[Policy], guesses: _Guesses
) -> dict[Policy, Policy]:
    """Other policies, each with that of the best policies whose second figure is like its own."""
    pairs = [(pair[1], policy) for policy in front if (pair := guesses.of([policy])[0]) is not None]
    own = [(pair[1], policy) for policy in pool if (pair := guesses.of([policy])[0]) is not None]
    if not pairs:
        return {}
    costs = np.array([cost for cost, _ in pairs])
    return {policy: pairs[int(np.abs(costs - cost).argmin())][1] for cost, policy in own}


def _others(near: Iterable[Policy], batch: Sequence[Policy], guesses: _Guesses) -> list[Policy]:
    """What is not in a batch, if possible without what is predicted not to count."""
    others = [policy for policy in near if policy not in batch]
    counting = [
        policy for policy, pair in zip(others, guesses.of(others), strict=True) if pair is not None
    ]
    return counting or others


def _promising(
    considered: Mapping[Policy, Policy],
    known: Mapping[Policy, Pair],
    front: Sequence[Policy],
    guesses: _Guesses,
    reference: Pair,
    count: int,
) -> list[Policy]:
    """The policies that are expected to add most to the hypervolume, one after the other.

    Each is expected as far from the measured policy beside it as predictions say.
    """
    origins = guesses.of(list(considered.values()))
    policies, expected = list[Policy](), list[Pair]()
    for policy, guess, before in zip(
        considered, guesses.of(list(considered)), origins, strict=True
    ):
        if guess is not None and before is not None:
            truth = known[considered[policy]]
            policies.append(policy)
            expected.append((truth[0] + guess[0] - before[0], truth[1] + guess[1] - before[1]))
    candidates = np.array(expected).reshape(-1, 2)
    points = np.array([known[policy] for policy in front]).reshape(-1, 2)
    chosen: list[Policy] = []
    while policies and len(chosen) < count:
        added = added_areas(points, candidates, reference)
        best = int(added.argmax())
        if added[best] <= 0:
            break
        chosen.append(policies[best])
        points = np.concatenate([points, candidates[best : best + 1]])
    return chosen
