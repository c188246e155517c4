"""The stepped vector unit: integers of NumPy, cycles of the closed form."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accelerators.vector_unit import elementwise_cycles
from hwsim.verify.stepped import stepped_addition
from tests.property.effort import effort


@effort(200)
@given(st.integers(1, 70), st.integers(1, 20), st.integers(0, 2**32))
def test_an_addition_is_exact_and_takes_the_cycles_of_the_formula(
    elements: int, lanes: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    first, second = random.integers(-128, 128, (2, elements))
    scale = np.array(
        [*random.integers(1, 2**20, 6), random.integers(-9, 9), -100, random.integers(-50, 120)]
    )
    scale[[0, 3]] = random.integers(-20, 20, 2)
    scale[[2, 5]] = random.integers(0, 24, 2)
    codes, cycles = stepped_addition(first, second, scale, lanes)
    rounded = [
        (operand + offset) * multiplier + ((1 << shift) >> 1) >> shift
        for operand, (offset, multiplier, shift) in zip(
            (first, second), scale[:6].reshape(2, 3), strict=True
        )
    ]
    np.testing.assert_array_equal(codes, np.clip(sum(rounded) + scale[6], *scale[7:]))
    assert cycles == elementwise_cycles(lanes, elements)
