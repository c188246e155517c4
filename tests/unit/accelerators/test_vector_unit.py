"""The vector unit's cycles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.vector_unit import elementwise_cycles


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
