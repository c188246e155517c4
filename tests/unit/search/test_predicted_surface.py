from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.additive import AdditiveModel
from hwsim.search.measurement import Figures
from hwsim.search.predicted_surface import PredictedSurface, predicted_surface
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import Resource
from quant.common.errors import UserError
from tests.unit.search.additive_problems import best_of
from tests.unit.search.models import every_policy, models


def row(figures: Figures, resources: tuple[Resource, ...]) -> tuple[int, ...]:
    error = round(figures.mse * UNITS_PER_SQUARED_CODE)
    return (error, *(figures.cost(resource) for resource in resources))


def rows(surface: PredictedSurface) -> list[tuple[int, ...]]:
    return [tuple(map(int, figures)) for figures in surface.figures]


RESOURCES = st.permutations(tuple(Resource)).flatmap(
    lambda order: st.integers(1, 4).map(lambda count: tuple(order[:count]))
)


@settings(max_examples=60, deadline=None)
@given(models(), RESOURCES.filter(lambda resources: resources != (Resource.SRAM,)))
def test_the_surface_is_what_no_policy_beats(
    model: AdditiveModel, resources: tuple[Resource, ...]
) -> None:
    surface = predicted_surface(model, resources, sram_amounts=100)
    assert surface.exact
    assert set(rows(surface)) == best_of({row(each, resources) for each in every_policy(model)})
    for point, figures in enumerate(rows(surface)):
        assert model.permits(surface.bits(point))
        assert row(surface.predicted(point), resources) == figures


@settings(max_examples=20, deadline=None)
@given(models())
def test_few_amounts_of_sram_leave_out_points_and_say_so(model: AdditiveModel) -> None:
    resources = (Resource.SRAM, Resource.ENERGY)
    whole = predicted_surface(model, resources, sram_amounts=100)
    some = predicted_surface(model, resources, sram_amounts=1)
    # With the largest amount alone, this is the front of energy.
    energies = some.figures[:, 2]
    assert set(energies) == set(predicted_surface(model, (Resource.ENERGY,)).figures[:, 1])
    assert set(energies) <= set(whole.figures[:, 2])
    assert some.exact or len(whole) >= len(some)


@settings(max_examples=1)
@given(models())
def test_a_layer_without_a_choice_is_named(model: AdditiveModel) -> None:
    nothing = model.cost.available.copy()
    nothing[1] = False
    without = replace(model, cost=replace(model.cost, available=nothing))
    with pytest.raises(UserError, match=r"room for some of the bits that body.* may have"):
        predicted_surface(without, (Resource.ENERGY,))
