import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cli.quantities import (
    Latency,
    decibels,
    energy_uj,
    frame_time,
    latency,
    square_millimetres,
    whole_bytes,
)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (energy_uj, "5mJ", 5000.0),
        (energy_uj, "0.3 µJ", 0.3),
        (energy_uj, "0.3μJ", 0.3),
        (energy_uj, "2J", 2e6),
        (energy_uj, ".5nJ", 0.0005),
        (whole_bytes, "512KiB", 524_288),
        (whole_bytes, "100MB", 100_000_000),
        (whole_bytes, "1.5kB", 1500),
        (whole_bytes, "7B", 7),
        (whole_bytes, "2GiB", 2**31),
        (latency, "33ms", Latency(Fraction(33, 1000))),
        (latency, "16.7us", Latency(Fraction(167, 10**7))),
        (latency, "900000cycles", Latency(cycles=900_000)),
        (frame_time, "30", Latency(Fraction(1, 30))),
        (frame_time, "59.94fps", Latency(Fraction(100, 5994))),
        (square_millimetres, "3mm2", 3.0),
        (square_millimetres, "2.5 mm²", 2.5),
        (square_millimetres, "500000µm²", 0.5),
        (decibels, "37.5", 37.5),
        (decibels, "37.5dB", 37.5),
    ],
)
def test_quantities_are_read_exactly(
    read: Callable[[str], object], text: str, expected: object
) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (energy_uj, "5", "expected an energy above zero such as 5mJ (in J, mJ, uJ, nJ), got '5'"),
        (
            energy_uj,
            "5ms",
            "expected an energy above zero such as 5mJ (in J, mJ, uJ, nJ), got '5ms'",
        ),
        (latency, "33", "expected a time above zero such as 33ms (in s, ms, us, cycles), got '33'"),
        (
            latency,
            "-1ms",
            "expected a time above zero such as 33ms (in s, ms, us, cycles), got '-1ms'",
        ),
        (
            latency,
            "0ms",
            "expected a time above zero such as 33ms (in s, ms, us, cycles), got '0ms'",
        ),
        (
            whole_bytes,
            "1Kib",
            "expected an amount of data above zero such as 512KiB (in B, kB, MB, GB, KiB, MiB, "
            "GiB), got '1Kib'",
        ),
        (
            square_millimetres,
            "3mm",
            "expected an area above zero such as 3mm2 (in mm2, um2), got '3mm'",
        ),
        (
            whole_bytes,
            "1B2",
            "expected an amount of data above zero such as 512KiB (in B, kB, MB, GB, KiB, MiB, "
            "GiB), got '1B2'",
        ),
        (frame_time, "0", "expected frames per second above zero such as 30 (in fps), got '0'"),
        (decibels, "nan", "expected decibels above zero such as 37.5 (in dB), got 'nan'"),
    ],
)
def test_what_is_no_quantity_is_told(
    read: Callable[[str], object], text: str, sentence: str
) -> None:
    with pytest.raises(ArgumentTypeError, match=f"^{re.escape(sentence)}$"):
        read(text)


@given(st.text(max_size=12))
def test_any_text_is_read_or_told(text: str) -> None:
    for read in (energy_uj, whole_bytes, latency, frame_time, decibels, square_millimetres):
        with suppress(ArgumentTypeError):
            read(text)
