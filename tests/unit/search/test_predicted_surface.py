from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.divided import DividedModel
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
@given(models(cascades=False), RESOURCES.filter(lambda resources: resources != (Resource.SRAM,)))
def test_the_surface_is_what_no_policy_beats(
    model: DividedModel, resources: tuple[Resource, ...]
) -> None:
    surface = predicted_surface(model, resources, sram_amounts=100)
    assert surface.exact
    assert set(rows(surface)) == best_of({row(each, resources) for each in every_policy(model)})


@settings(max_examples=60, deadline=None)
@given(models(), RESOURCES.filter(lambda resources: resources != (Resource.SRAM,)))
def test_every_point_is_what_its_bits_predict(
    model: DividedModel, resources: tuple[Resource, ...]
) -> None:
    surface = predicted_surface(model, resources, sram_amounts=100)
    for point, figures in enumerate(rows(surface)):
        bits = surface.bits(point)
        predicted = model.predict(bits)
        assert predicted is not None
        assert model.permits(bits)
        assert row(predicted, resources) == figures
    best = best_of({row(each, resources) for each in every_policy(model)})
    if surface.exact:
        assert set(rows(surface)) == best
    elif Resource.SRAM not in resources:
        # What is missing was kept out by a cheaper policy without room, or was never near.
        assert best_of(set(rows(surface))) == set(rows(surface))


@settings(max_examples=20, deadline=None)
@given(models(cascades=False))
def test_few_amounts_of_sram_leave_out_points_and_say_so(model: DividedModel) -> None:
    resources = (Resource.SRAM, Resource.ENERGY)
    whole = predicted_surface(model, resources, sram_amounts=100)
    some = predicted_surface(model, resources, sram_amounts=1)
    # With the largest amount alone, this is the front of energy.
    front = model.front(Resource.ENERGY)
    assert set(some.figures[:, 2]) == set(front.costs)
    assert set(some.figures[:, 2]) <= set(whole.figures[:, 2])
    assert some.exact or len(whole) >= len(some)


@settings(max_examples=1)
@given(models())
def test_a_layer_without_a_choice_is_named(model: DividedModel) -> None:
    nothing = model.cost.available.copy()
    nothing[1] = False
    division = replace(model.divisions[0], cost=replace(model.cost, available=nothing))
    with pytest.raises(UserError, match=r"room for some of the bits that body.* may have"):
        predicted_surface(DividedModel((division,)), (Resource.ENERGY,))


@settings(max_examples=1)
@given(models())
def test_no_room_for_any_policy_is_told(model: DividedModel) -> None:
    nothing = replace(model.cost.rooms, machine_bytes=1)
    cost = replace(model.cost, rooms=nothing, low_rooms=nothing)
    division = replace(model.divisions[0], cost=cost)
    with pytest.raises(UserError, match="room for a policy on the surface, found it for none"):
        predicted_surface(DividedModel((division,)), (Resource.ENERGY,))
