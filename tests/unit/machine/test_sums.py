"""Sums of 40 bits and the bytes they are stored in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.machine.sums import octets_of_sums, sums_of_octets


@given(st.lists(st.integers(-(2**39), 2**39 - 1), min_size=1, max_size=6))
def test_there_and_back(values: list[int]) -> None:
    sums = np.array(values, np.int64).reshape(1, 1, -1)
    octets = octets_of_sums(sums, 5)
    assert octets.shape == (1, 1, 5 * len(values))
    stored = b"".join(value.to_bytes(5, "little", signed=True) for value in values)
    assert octets.astype(np.uint8).tobytes() == stored
    assert (sums_of_octets(octets, 5) == sums).all()
