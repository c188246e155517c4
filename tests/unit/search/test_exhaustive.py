"""All 65 536 policies of networks with 4 layers and 16 choices, beside what the solvers find."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.search.additive import AdditiveModel
from hwsim.search.certified import Bounds, certified_optimum
from hwsim.search.cost_table import SUMMED, CostTable
from hwsim.search.dominance import undominated_points
from hwsim.search.hypervolume import hypervolume
from hwsim.search.pareto import Choices, pareto_front
from hwsim.search.policy_sums import policy_sums
from hwsim.search.quality_table import QualityTable
from hwsim.search.resource import Resource
from hwsim.search.surface import pareto_surface
from quant.policy import LayerBits
from tests.unit.search.additive_problems import Integers, network_problem
from tests.unit.search.surveys import no_rooms

LAYERS, CHOICES = 4, 16
WIDTHS = (2, 4, 6, 8)
SEEDS = (0, 1, 2)
EVERY_POLICY = np.indices((CHOICES,) * LAYERS).reshape(LAYERS, -1).T


def problem(seed: int, objectives: int) -> list[Integers]:
    """Of the 49 choices those of `WIDTHS`."""
    kept = [(w - 2) * 7 + a - 2 for w in WIDTHS for a in WIDTHS]
    return [layer[kept] for layer in network_problem(LAYERS, objectives, seed)]


@cache
def exhaustive(seed: int, objectives: int) -> tuple[Integers, Integers]:
    """The sums of every policy, and those that none equals or beats, in lexicographic order."""
    sums = policy_sums(problem(seed, objectives), EVERY_POLICY)
    return sums, sums[undominated_points(sums)]


def share_of_volume(points: Integers, all_points: Integers) -> float:
    """The hypervolume of points as a share of that of all, each sum from its least to its most.

    Errors count as decibels.
    """
    columns = [np.log10(points[:, :1] + 1.0), points[:, 1:]]
    of_all = [np.log10(all_points[:, :1] + 1.0), all_points[:, 1:]]
    low, high = (np.concatenate([f(each, axis=0) for each in of_all]) for f in (np.min, np.max))
    corner = np.full(len(low), 1.1)

    def volume(parts: list[NDArray[np.number]]) -> float:
        return hypervolume((np.concatenate(parts, axis=1) - low) / (high - low), corner)

    return volume(columns) / volume(of_all)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_front_is_that_of_all_policies(seed: int) -> None:
    front = pareto_front([Choices(layer[:, 0], layer[:, 1]) for layer in problem(seed, 2)])
    found = np.stack([front.errors, front.costs], axis=1)[::-1]
    np.testing.assert_array_equal(found, exhaustive(seed, 2)[1])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_the_exact_surface_is_that_of_all_policies(seed: int, objectives: int) -> None:
    surface = pareto_surface(problem(seed, objectives))
    assert surface.exact
    np.testing.assert_array_equal(surface.sums, exhaustive(seed, objectives)[1])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trimmed_surface_has_nearly_all_the_volume(seed: int) -> None:
    surface = pareto_surface(problem(seed, 3), maximum_compared=1)
    assert not surface.exact
    share = share_of_volume(surface.sums, exhaustive(seed, 3)[1])
    assert 0.999 <= share <= 1 + 1e-12


def model(seed: int) -> AdditiveModel:
    """A network whose layers run alone."""
    tables = np.stack(problem(seed, 4))
    return AdditiveModel(
        tuple(f"layer{n}" for n in range(LAYERS)),
        tuple(LayerBits(w, a) for w in WIDTHS for a in WIDTHS),
        tuple((n,) for n in range(LAYERS)),
        QualityTable(0, tables[:, :, 0], 0),
        CostTable(
            tuple((f"layer{n}",) for n in range(LAYERS)),
            dict.fromkeys(Resource, 0),
            {resource: tables[:, :, 1 + n] for n, resource in enumerate(SUMMED)},
            np.ones((LAYERS, CHOICES), np.int64),
            np.ones(LAYERS, np.bool_),
            0,
            np.ones((LAYERS, CHOICES), np.bool_),
            no_rooms(LAYERS, CHOICES),
            no_rooms(LAYERS, CHOICES),
            0,
            np.zeros((LAYERS, CHOICES), np.int64),
        ),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_certified_policies_are_the_best_of_all_under_random_limits(seed: int) -> None:
    sums = exhaustive(seed, 4)[0]
    tables, random = model(seed), np.random.default_rng(seed)
    for _ in range(5):
        # Limits between the least and the middle of each sum, so that often none fits.
        low, middle = sums.min(axis=0), np.median(sums, axis=0)
        most = (low + random.random(4) * (middle - low)).astype(np.int64)
        for objective, minimize in enumerate((None, *SUMMED)):
            limits = most.copy()
            limits[objective] = sums[:, objective].max()
            fitting = sums[(sums <= limits).all(axis=1)]
            bounds = Bounds(
                {resource: int(limits[1 + n]) for n, resource in enumerate(SUMMED)},
                int(limits[0]),
            )
            found = certified_optimum(tables, minimize, bounds)
            if not len(fitting):
                assert found is None
                continue
            assert found is not None
            assert found.value == fitting[:, objective].min()
            assert found.gap < 1e-6
