"""Certified policies against enumeration of all policies of a small model."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.search.certified import Bounds, certified_optimum
from hwsim.search.divided import DividedModel
from hwsim.search.limits import Limits
from hwsim.search.measurement import Figures
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import Resource
from tests.unit.search.models import every_policy, models


def amount(figures: Figures, minimize: Resource | None) -> int:
    if minimize is None:
        return round(figures.mse * UNITS_PER_SQUARED_CODE)
    return figures.cost(minimize)


def keeps(figures: Figures, bounds: Bounds) -> bool:
    return all(figures.cost(resource) <= most for resource, most in bounds.most.items()) and (
        bounds.error is None or amount(figures, None) <= bounds.error
    )


@settings(max_examples=40, deadline=None)
@given(models(), st.sampled_from((None, *Resource)), st.data())
def test_certified_policies_are_exactly_optimal(
    model: DividedModel, minimize: Resource | None, data: st.DataObject
) -> None:
    policies = every_policy(model)
    some = data.draw(st.sampled_from(policies))
    limited = data.draw(st.sets(st.sampled_from(tuple(Resource)), max_size=3))
    slack = data.draw(st.sampled_from((-1, 0, 1)))
    bounds = Bounds(
        {resource: some.cost(resource) + slack for resource in limited},
        data.draw(st.sampled_from((None, amount(some, None)))),
    )
    fitting = [figures for figures in policies if keeps(figures, bounds)]

    found = certified_optimum(model.divisions[0], minimize, bounds)

    if not fitting:
        assert found is None
        return
    assert found is not None
    assert model.permits(found.bits)
    assert model.predict(found.bits) == found.predicted
    assert keeps(found.predicted, bounds)
    least = min(amount(figures, minimize) for figures in fitting)
    assert found.value == least
    assert amount(found.predicted, minimize) == least
    largest = max(int(abs(table).max()) for table in model.cost.change.values())
    assert 0 <= found.value - found.bound <= 1e-7 * max(largest, int(model.quality.increase.max()))
    # Of what costs the same, the most faithful.
    alike = [figures for figures in fitting if amount(figures, minimize) == least]
    assert amount(found.predicted, None) == min(amount(figures, None) for figures in alike)


def test_a_fidelity_bounds_the_error_from_above() -> None:
    bounds = Bounds.of(Limits(max_cycles=5, min_psnr_db=10 * math.log10(255**2 / 2)))
    assert bounds.most == {Resource.LATENCY: 5}
    assert bounds.error is not None
    assert abs(bounds.error - 2 * UNITS_PER_SQUARED_CODE) <= 1
    assert Bounds.of(Limits()).error is None


def test_the_bound_on_errors_is_corrected_by_what_was_measured() -> None:
    asked = Bounds({Resource.ENERGY: 1000}, 4 * UNITS_PER_SQUARED_CODE)
    predicted = Figures(3.0, 900, 0, 90, 0)
    corrected = asked.corrected(predicted, Figures(6.0, 1200, 0, 45, 0))
    assert corrected == Bounds({Resource.ENERGY: 1000}, 2 * UNITS_PER_SQUARED_CODE)
    assert asked.corrected(predicted, Figures(0.0, 1, 0, 1, 0)) == asked
    unbounded = Bounds({Resource.ENERGY: 1000}, None)
    assert unbounded.corrected(predicted, predicted) == unbounded


def test_the_worst_overrun_is_the_largest_factor_beyond_a_bound() -> None:
    asked = Bounds({Resource.ENERGY: 1000, Resource.DRAM: 100}, 4 * UNITS_PER_SQUARED_CODE)
    assert asked.worst_overrun(Figures(2.0, 900, 0, 50, 0)) == 0.9
    assert asked.worst_overrun(Figures(2.0, 900, 0, 300, 0)) == 3.0
    assert asked.worst_overrun(Figures(10.0, 900, 0, 50, 0)) == 2.5
    assert Bounds({}, None).worst_overrun(Figures(10.0, 900, 0, 50, 0)) == 0.0


@pytest.mark.parametrize("gap", [(100, 100, 0.0), (100, 99, 0.01)])
def test_the_gap_is_a_share_of_the_value(gap: tuple[int, int, float]) -> None:
    from hwsim.search.certified import Certificate

    value, bound, share = gap
    certificate = Certificate({}, Figures(0.0, 0, 0, 0, 0), Resource.ENERGY, value, bound)
    assert certificate.gap == pytest.approx(share)
