import numpy as np

from hwsim.search.quality_table import quality_table
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


def test_what_a_layer_may_not_have_has_no_increase() -> None:
    table = quality_table(survey_of({"head": (None, BASE)}))
    np.testing.assert_array_equal(table.measured, [[0, 0]])
