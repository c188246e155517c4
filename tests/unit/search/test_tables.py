import numpy as np

from hwsim.search.cost_table import cost_table
from hwsim.search.quality_table import quality_table
from hwsim.search.resource import Resource
from quant.policy import LayerBits
from tests.unit.search.surveys import BASE, measurement, survey_of


def test_increases_are_differences_from_the_base_in_billionths() -> None:
    table = quality_table(survey_of({"head": (measurement(1.25), BASE)}))
    assert table.base == 1_000_000_000
    np.testing.assert_array_equal(table.measured, [[250_000_000, 0]])


def test_gains_count_as_nothing_and_are_reported() -> None:
    table = quality_table(survey_of({"head": (measurement(0.75), BASE), "tail": (BASE, BASE)}))
    np.testing.assert_array_equal(table.measured, [[-250_000_000, 0], [0, 0]])
    np.testing.assert_array_equal(table.increase, [[0, 0], [0, 0]])
    assert table.clipped == 1


def test_more_bits_with_more_error_are_counted() -> None:
    choices = tuple(map(LayerBits.parse, ("w2a2", "w2a8", "w8a2", "w8a8")))
    rising = (measurement(2.0), measurement(3.0), measurement(1.5), None)
    table = quality_table(survey_of({"head": rising}, choices))
    assert table.non_monotone == 1  # w2a8 is worse than w2a2; w2a8 and w8a2 do not compare


def test_costs_are_differences_from_the_base_by_resource() -> None:
    table = cost_table(survey_of({"head": (measurement(2.0, 700, 520, 60, 24), BASE)}))
    assert table.base == {
        Resource.ENERGY: 1000,
        Resource.LATENCY: 500,
        Resource.DRAM: 64,
        Resource.SRAM: 32,
    }
    np.testing.assert_array_equal(table.change[Resource.ENERGY], [[-300, 0]])
    np.testing.assert_array_equal(table.change[Resource.LATENCY], [[20, 0]])
    np.testing.assert_array_equal(table.change[Resource.DRAM], [[-4, 0]])
    np.testing.assert_array_equal(table.sram, [[24, 32]])
    assert table.other_sram == 16


def test_what_does_not_fit_the_machine_is_not_available() -> None:
    survey = survey_of({"head": (None, BASE)})
    np.testing.assert_array_equal(cost_table(survey).available, [[False, True]])
    np.testing.assert_array_equal(quality_table(survey).measured, [[0, 0]])
