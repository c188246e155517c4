"""The vector unit's cycles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import ACTION_UNITS
from accelerators.vector_unit import WORK, elementwise_cycles, encoder_work, work_cycles


@pytest.mark.parametrize(
    ("lanes", "elements", "cycles"), [(32, 1, 4), (32, 32, 4), (32, 33, 5), (16, 1600, 103)]
)
def test_cycles(lanes: int, elements: int, cycles: int) -> None:
    assert elementwise_cycles(lanes, elements) == cycles


@given(lanes=st.integers(1, 4096), elements=st.integers(1, 10**9))
def test_cycles_grow_with_elements_and_fall_with_lanes(lanes: int, elements: int) -> None:
    cycles = elementwise_cycles(lanes, elements)
    assert elementwise_cycles(lanes, elements + 1) in (cycles, cycles + 1)
    assert elementwise_cycles(lanes + 1, elements) <= cycles


def test_every_pass_takes_the_lanes_again() -> None:
    assert elementwise_cycles(32, 64, passes=3) == 3 * 2 + 3


def test_lookups_are_served_by_the_banks() -> None:
    assert work_cycles(WORK["lookup_table"], lanes=32, banks=8, elements=64) == 8 + 3
    assert work_cycles(WORK["lookup_table"], lanes=4, banks=8, elements=64) == 16 + 3
    assert work_cycles(WORK["add"], lanes=32, banks=8, elements=64) == 2 + 3


def test_all_work_is_made_of_priced_actions() -> None:
    every = [*WORK.values(), encoder_work(8)]
    actions = {(work.component, name) for work in every for name in work.actions}
    assert actions <= set(ACTION_UNITS)
