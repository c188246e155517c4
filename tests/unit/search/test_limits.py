import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Accelerator
from hwsim.search.limits import Limits, cycles_within
from hwsim.search.resource import SHOWN, Resource
from quant.common.errors import UserError
from tests.machines import machine

MACHINE = machine().model_copy(update={"clock_mhz": 500.0})


def _launched_in(overhead_us: float) -> Accelerator:
    return MACHINE.model_copy(update={"launch_overhead_us": overhead_us})


def test_limits_are_true_when_there_is_one() -> None:
    assert not Limits()
    assert Limits(max_cycles=0)
    assert Limits(min_psnr_db=30.0)


def test_limits_are_counted_as_policies_are() -> None:
    limits = Limits(max_energy_uj=0.3, max_cycles=7, max_dram_bytes=8, max_sram_bytes=9)
    assert limits.most == {
        Resource.ENERGY: 300_000_000,
        Resource.LATENCY: 7,
        Resource.DRAM: 8,
        Resource.SRAM: 9,
    }


def test_limits_are_told_in_words() -> None:
    assert Limits(2.5, 7, 31.5, 8, 9).words == (
        "at most 2.5 uJ",
        "at most 7 cycles",
        "at most 8 bytes over DRAM",
        "at most 9 bytes of SRAM",
        "at least 31.5 dB",
    )


def test_every_resource_is_shown() -> None:
    assert set(SHOWN) == set(Resource)


@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10, max_denominator=10**9))
def test_cycles_of_a_time_are_the_most_that_fit(seconds: Fraction) -> None:
    cycles = cycles_within(_launched_in(0.5), seconds)
    taken = Fraction(cycles, 500_000_000) + Fraction(1, 2_000_000)
    assert taken <= seconds < taken + Fraction(1, 500_000_000)


def test_a_time_shorter_than_the_launch_is_told() -> None:
    slow = _launched_in(2000.0)
    sentence = (
        f"latency on {slow.name}: expected at least its launch overhead of 2 ms, given 1.5 ms; "
        "allow more time"
    )
    with pytest.raises(UserError, match=f"^{re.escape(sentence)}$"):
        cycles_within(slow, Fraction(15, 10_000))
