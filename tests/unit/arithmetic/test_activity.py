"""Counts of switching against plain Python."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic.activity import (
    Order,
    Switching,
    activation_switching,
    stored_bits,
    weight_switching,
)
from hwsim.arithmetic.geometry import Geometry

Codes = NDArray[np.int32]


def counted(sequences: list[list[int]], zero: int, skip_zeros: bool) -> Switching:
    """Operands, those not zero, changes and toggles of sequences, one by one."""
    operands = [code for sequence in sequences for code in sequence]
    nonzero = [code for code in operands if code != zero]
    kept = [[code for code in sequence if not skip_zeros or code != zero] for sequence in sequences]
    pairs = [pair for sequence in kept for pair in pairwise(sequence)]
    toggles = sum((a ^ b).bit_count() for a, b in pairs)
    return Switching(len(operands), len(nonzero), len(pairs), toggles)


def sequences(
    stored: Codes, taps: tuple[int, int], geometry: Geometry, order: Order
) -> list[list[int]]:
    """What each processing element is fed, from nested lists."""
    rows, columns = geometry.output_size(stored.shape[:2], taps)
    (down, across), (apart, aside) = geometry.stride, geometry.dilation
    size = stored.shape[2] // geometry.groups
    pixels = list(product(range(rows), range(columns)))
    places = list(product(range(taps[0]), range(taps[1])))

    def code(pixel: tuple[int, int], tap: tuple[int, int], channel: int) -> int:
        row, column = pixel[0] * down + tap[0] * apart, pixel[1] * across + tap[1] * aside
        return int(stored[row, column, channel])

    if order == "weight":
        each = product(places, range(stored.shape[2]))
        return [[code(pixel, tap, channel) for pixel in pixels] for tap, channel in each]
    return [
        [code(pixel, tap, group * size + channel) for tap in places for channel in range(size)]
        for pixel in pixels
        for group in range(geometry.groups)
    ]


@settings(deadline=None)  # the first example compiles
@given(
    seed=st.integers(0, 10_000),
    size=st.tuples(st.integers(3, 7), st.integers(3, 7)),
    channels=st.integers(1, 3),
    geometry=st.builds(
        Geometry,
        st.tuples(st.integers(1, 2), st.integers(1, 2)),
        st.tuples(st.integers(1, 2), st.integers(1, 2)),
        st.integers(1, 2),
    ),
    taps=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    order=st.sampled_from(("output", "weight")),
    zero=st.sampled_from((0, -1)),
    skip_zeros=st.booleans(),
)
def test_activations(
    seed: int,
    size: tuple[int, int],
    channels: int,
    geometry: Geometry,
    taps: tuple[int, int],
    order: Order,
    zero: int,
    skip_zeros: bool,
) -> None:
    random = np.random.default_rng(seed)
    stored = random.integers(0, 4, (*size, channels * geometry.groups)).astype(np.int32)
    found = activation_switching(stored, zero, taps, geometry, order, skip_zeros=skip_zeros)
    assert found == counted(sequences(stored, taps, geometry, order), zero, skip_zeros)


@settings(deadline=None)  # the first example compiles
@given(seed=st.integers(0, 10_000), outputs=st.integers(1, 4), inputs=st.integers(1, 4))
def test_weights(seed: int, outputs: int, inputs: int) -> None:
    random = np.random.default_rng(seed)
    stored = random.integers(0, 65536, (outputs, 2, 1, inputs)).astype(np.int32)
    by_output = stored.reshape(outputs, -1)
    assert weight_switching(stored, 0, "output") == counted(by_output.tolist(), 0, False)
    assert weight_switching(stored, 0, "input") == counted(by_output.T.tolist(), 0, False)
    held = weight_switching(stored, 0, "weight")
    assert held.toggles == 0
    assert held.operands == stored.size


def test_a_held_activation_does_not_switch() -> None:
    stored = np.arange(16, dtype=np.int32).reshape(4, 4, 1)
    held = activation_switching(stored, 0, (3, 3), Geometry(), "input")
    assert (held.toggles, held.hamming) == (0, 0.0)
    assert held.operands == 4 * 9


def test_codes_as_bits() -> None:
    signed = np.array([-8, -1, 0, 7])
    assert stored_bits(signed, 4, is_odd=False).tolist() == [8, 15, 0, 7]
    odd = np.array([-3, -1, 1, 3])
    assert stored_bits(odd, 2, is_odd=True).tolist() == [0, 1, 2, 3]


def test_rates_of_nothing() -> None:
    assert (Switching().hamming, Switching().nonzero_rate) == (0.0, 0.0)
    both = Switching(4, 2, 3, 6) + Switching(4, 2, 1, 2)
    assert (both.hamming, both.nonzero_rate) == (2.0, 0.5)


@pytest.mark.parametrize("bits", [2, 8, 16])
def test_random_codes_change_half_their_bits(bits: int) -> None:
    stored = np.random.default_rng(bits).integers(0, 1 << bits, (64, 64, 8)).astype(np.int32)
    found = activation_switching(stored, 0, (1, 1), Geometry(), "output")
    assert found.hamming == pytest.approx(bits / 2, rel=0.02)
    assert found.nonzero_rate == pytest.approx(1 - 2.0**-bits, rel=0.02)
