"""Counters as a count cycle by cycle finds them."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.report.trace import TracedCascade
from hwsim.report.trace import counters as counters_module
from hwsim.report.trace.counters import Counters
from hwsim.report.trace.slices import Slice

CLOCK_MHZ, PEAK = 500.0, 4.0


@st.composite
def cascades(draw: st.DrawFn) -> TracedCascade:
    """Slices one after the other, and contents of the SRAM that come and go."""
    cycles = draw(st.integers(1, 30))
    slices, changes, free = [], Counter[int](), 0
    while free < cycles and draw(st.booleans()):
        start = draw(st.integers(free, cycles - 1))
        free = draw(st.integers(start + 1, cycles))
        amounts = [draw(st.integers(0, 50)) for _ in range(3)]
        slices.append(Slice("unit", "name", "kind", start, free - start, *amounts, {}))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, cycles - 1))
        until, size = draw(st.integers(start + 1, cycles)), draw(st.integers(1, 100))
        changes[start] += size
        changes[until] -= size
    return TracedCascade("cascade", None, cycles, tuple(slices), changes)


def counted(parts: list[TracedCascade]) -> dict[str, list[tuple[int, float]]]:
    """Every counter's values by cycle."""
    counters = Counters(sum(part.cycles for part in parts), CLOCK_MHZ, PEAK)
    for part in parts:
        counters.add(part)
    found: dict[str, list[tuple[int, float]]] = {}
    for cycle, name, values in counters.moments():
        (value,) = values.values()
        found.setdefault(name, []).append((cycle, value))
    return found


def by_cycle(parts: list[TracedCascade]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """SRAM in use in every cycle, and what was moved before every cycle and at the end."""
    cycles = sum(part.cycles for part in parts)
    sram, rates = np.zeros(cycles), {name: np.zeros(cycles) for name in ("read", "written", "macs")}
    start = 0
    for part in parts:
        for cycle, change in part.sram_changes.items():
            sram[start + cycle : start + part.cycles] += change
        for each in part.slices:
            amounts = {"read": each.read_bytes, "written": each.written_bytes, "macs": each.macs}
            inside = slice(start + each.start, start + each.start + each.cycles)
            for name, amount in amounts.items():
                rates[name][inside] += amount / each.cycles
        start += part.cycles
    return sram, {name: np.concatenate([[0], np.cumsum(rate)]) for name, rate in rates.items()}


@pytest.mark.parametrize("samples", [1, 5, 7, 2000])
@settings(max_examples=40, deadline=None)
@given(parts=st.lists(cascades(), min_size=1, max_size=4))
def test_counters_are_what_a_count_cycle_by_cycle_finds(
    samples: int, parts: list[TracedCascade]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counters_module, "SAMPLES", samples)
        found = counted(parts)
    sram, moved = by_cycle(parts)

    edges = [cycle for cycle, _ in found["SRAM in use"]]
    assert edges[0] == 0
    assert edges[-1] == len(sram)
    assert len(edges) == min(samples, len(sram)) + 1
    for place, (start, end) in enumerate(pairwise(edges)):
        assert found["SRAM in use"][place][1] == sram[start:end].max()
        share = (moved["macs"][end] - moved["macs"][start]) / ((end - start) * PEAK)
        least = 100 / ((end - start) * PEAK)  # a sum is cut to whole units
        assert found["MAC utilization"][place][1] == pytest.approx(100 * share, abs=least + 0.001)
    for name, counter in (("read", "DRAM read"), ("written", "DRAM written")):
        for cycle, value in found[f"{counter} since the start"]:
            assert moved[name][cycle] - 1.001 <= value <= moved[name][cycle] + 1e-6
        total = found[f"{counter} since the start"][-1][1]
        assert total == pytest.approx(moved[name][-1])
    for name in ("SRAM in use", "DRAM read rate", "DRAM write rate", "MAC utilization"):
        assert found[name][-1][1] == 0


def test_rates_are_in_megabytes_a_second() -> None:
    slices = (Slice("dma", "name", "load", 0, 10, 80, 40, 0, {}),)

    found = counted([TracedCascade("cascade", None, 10, slices, Counter())])

    assert found["DRAM read rate"][0] == (0, 8 * CLOCK_MHZ)
    assert found["DRAM write rate"][0] == (0, 4 * CLOCK_MHZ)
