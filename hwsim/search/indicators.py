"""How good what a search found is in one number, beside uniform and random policies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.divided import DividedModel, PredictedFront
from hwsim.search.hypervolume import Reals, hypervolume
from hwsim.search.measurement import PEAK_CODE, Figures
from hwsim.search.pareto import Integers
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import Resource

REFERENCE_DB = 10.0
"""Fidelity that counts for nothing: about what an evenly grey picture has."""
REFERENCE_SHARE = 1.1
"""Cost that counts for nothing, as a share of the base's: a little more, so that policies of the
base's cost count."""
RANDOM_POLICIES = 10_000


def fidelities_db(mse: NDArray[np.floating]) -> Reals:
    """Fidelities of policies that can be counted, none of them infinite.

    Args:
        mse: in squared codes; less than one unit of the tables counts as that.
    """
    decibels: Reals = 10 * np.log10(PEAK_CODE**2 / np.maximum(mse, 1 / UNITS_PER_SQUARED_CODE))
    return decibels


@dataclass(frozen=True, slots=True)
class Ruler:
    """Measures sets of policies by one reference point that does not depend on what was found.

    Attributes:
        resource: the cost.
        base_cost: that of the base: femtojoules, cycles or bytes.
    """

    resource: Resource
    base_cost: int

    @property
    def reference_cost(self) -> float:
        """The cost of the reference point."""
        return REFERENCE_SHARE * self.base_cost

    @property
    def reference(self) -> tuple[float, float]:
        """The reference among `points`."""
        return REFERENCE_SHARE, -REFERENCE_DB

    def points(self, mse: NDArray[np.floating], costs: NDArray[np.number]) -> Reals:
        """Policies as two figures to keep small: shares of the base's cost, and negative dB.

        Args:
            mse: [policies], as for `fidelities_db`.
            costs: [policies].

        Returns:
            [policies, 2].
        """
        return np.stack([costs / max(self.base_cost, 1), -fidelities_db(mse)], axis=1)

    def of_pairs(self, mse: NDArray[np.floating], costs: NDArray[np.number]) -> float:
        """The hypervolume of policies in dB above `REFERENCE_DB` times shares of the base's cost.

        Divided by `REFERENCE_SHARE` it is the fidelity above the reference that the best policies
        have on average over all budgets up to the reference cost.

        Args:
            mse: as for `points`.
            costs: as for `points`.
        """
        return hypervolume(self.points(mse, costs), self.reference)

    def of_figures(self, policies: list[Figures]) -> float:
        """The same of measured or predicted policies."""
        costs = [figures.cost(self.resource) for figures in policies]
        return self.of_pairs(np.array([figures.mse for figures in policies]), np.array(costs))

    def of_front(self, front: PredictedFront) -> float:
        """The same of a predicted front."""
        return self.of_pairs(front.errors / UNITS_PER_SQUARED_CODE, front.costs)

    def of_random(self, model: DividedModel, count: int = RANDOM_POLICIES) -> float:
        """The same of as many random policies, by the tables."""
        errors, costs = random_figures(model, self.resource, count).T
        return self.of_pairs(errors / UNITS_PER_SQUARED_CODE, costs)


def random_figures(model: DividedModel, resource: Resource, count: int, seed: int = 0) -> Integers:
    """Predicted errors and costs of policies whose layers choose at random, if they find room.

    Args:
        model: the tables; every group of layers has a choice.
        resource: the cost.
        count: how many policies.
        seed: of the random numbers.

    Returns:
        int64 [policies with room, 2]: units of `UNITS_PER_SQUARED_CODE`, and femtojoules, cycles or
        bytes.
    """
    usable = model.usable()
    random = np.random.default_rng(seed)
    picks = random.integers(0, [len(choices) for choices in usable], (count, len(usable)))
    columns = model.divisions[0].columns_of(usable, list(picks.T))
    figures, fits = model.figures_of(columns, (resource,))
    return figures[fits]
