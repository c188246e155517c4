import pytest
from hypothesis import given, settings

from hwsim.search.divided import DividedModel
from hwsim.search.indicators import REFERENCE_SHARE, Ruler, random_figures
from hwsim.search.measurement import Figures
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import Resource
from tests.unit.search.models import every_policy, models


def figures(decibels: float, energy_fj: int) -> Figures:
    return Figures(255**2 / 10 ** (decibels / 10), energy_fj, 0, 0, 0)


def test_it_is_decibels_times_shares_of_the_base() -> None:
    ruler = Ruler(Resource.ENERGY, 1000)
    assert ruler.reference_cost == pytest.approx(1100)
    assert ruler.of_figures([]) == 0
    one = [figures(40, 600)]
    assert ruler.of_figures(one) == pytest.approx(30 * 0.5)
    two = [*one, figures(20, 100), figures(50, 1200), figures(9, 10)]
    assert ruler.of_figures(two) == pytest.approx(30 * 0.5 + 10 * 0.5)


def test_no_error_at_all_has_a_finite_volume() -> None:
    volume = Ruler(Resource.ENERGY, 1000).of_figures([Figures(0.0, 0, 0, 0, 0)])
    assert 100 < volume / REFERENCE_SHARE < 140


@settings(max_examples=30, deadline=None)
@given(models())
def test_random_policies_are_permitted_ones(
    model: DividedModel,
) -> None:
    for resource in Resource:
        known = {
            (round(each.mse * UNITS_PER_SQUARED_CODE), each.cost(resource))
            for each in every_policy(model)
        }
        found = random_figures(model, resource, 50)
        assert {tuple(map(int, row)) for row in found} <= known
