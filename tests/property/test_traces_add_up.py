"""A trace says what the account says, whatever network runs on whatever machine."""

import json
import tempfile
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from hwsim.cost import program_cost
from hwsim.cost.explanation import explain
from hwsim.report.trace import trace_subject, traced_program, write_trace
from tests.property.effort import effort
from tests.property.test_explanations_add_up import PRICES, Case, cases

Json = dict[str, Any]
CASCADES, DMA, MAC_ARRAY, VECTOR_UNIT = 1, 2, 3, 4


def trace_of(case: Case) -> tuple[Json, dict[int, list[Json]]]:
    """A trace, and the slices of each track."""
    _, program, accelerator, _ = case
    cost = program_cost(program, accelerator, PRICES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        about = trace_subject("network", cost, accelerator)
        write_trace(path, traced_program(program, accelerator), about)
        trace = json.loads(path.read_text())
    slices = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    by_track = sorted(slices, key=lambda event: event["tid"])
    return trace, {
        track: list(events) for track, events in groupby(by_track, key=lambda event: event["tid"])
    }


def last_values(trace: Json) -> dict[str, float]:
    return {
        event["name"]: next(iter(event["args"].values()))
        for event in trace["traceEvents"]
        if event["ph"] == "C"
    }


@effort(40)
@given(cases())
def test_tracks_add_up_to_the_account_and_end_with_it(case: Case) -> None:
    _, program, accelerator, _ = case
    cost = program_cost(program, accelerator, PRICES)
    _, tracks = trace_of(case)
    clock_mhz, half_nanosecond = accelerator.clock_mhz, 0.0005

    for track, unit in ((DMA, "dma"), (MAC_ARRAY, "mac_array"), (VECTOR_UNIT, "vector_unit")):
        slices = tracks.get(track, [])
        busy = sum(group.busy_cycles[unit] for group in cost.groups)
        assert sum(each["args"]["cycles"] for each in slices) == busy
        lengths = sum(each["dur"] for each in slices)
        assert lengths == pytest.approx(busy / clock_mhz, rel=1e-9, abs=half_nanosecond * 1.001)
    assert sum(each["args"]["cycles"] for each in tracks[CASCADES]) == cost.cycles
    ends = [each["args"]["start_cycle"] + each["args"]["cycles"]
            for slices in tracks.values() for each in slices]  # fmt: skip
    assert max(ends) == cost.cycles
    last = max(each["ts"] + each["dur"] for slices in tracks.values() for each in slices)
    assert last == pytest.approx(cost.cycles / clock_mhz, rel=1e-9, abs=half_nanosecond * 1.001)
    moved = sum(each["args"]["bytes"] for each in tracks[DMA])
    assert moved == cost.dram_read_bytes + cost.dram_write_bytes
    macs = sum(each["args"].get("macs", 0) for each in tracks.get(MAC_ARRAY, []))
    assert macs == explain(program, accelerator).total.macs


@effort(40)
@given(cases())
def test_no_track_has_overlaps_in_cycles_or_in_what_viewers_count(case: Case) -> None:
    _, tracks = trace_of(case)

    for slices in tracks.values():
        for one, other in pairwise(slices):
            end = one["args"]["start_cycle"] + one["args"]["cycles"]
            assert end <= other["args"]["start_cycle"]
            for nanoseconds in (int, round):
                start, length, following = (
                    nanoseconds(value * 1000) for value in (one["ts"], one["dur"], other["ts"])
                )
                assert start + length <= following


@effort(30)
@given(cases())
def test_counters_end_with_the_account_and_reach_the_peak(case: Case) -> None:
    _, program, accelerator, _ = case
    cost = program_cost(program, accelerator, PRICES)
    trace, _ = trace_of(case)

    last = last_values(trace)
    assert last["DRAM read since the start"] == cost.dram_read_bytes
    assert last["DRAM written since the start"] == cost.dram_write_bytes
    peak = max(group.sram.peak_bytes for group in explain(program, accelerator).groups)
    in_use = [e["args"]["bytes"] for e in trace["traceEvents"] if e["name"] == "SRAM in use"]
    assert max(in_use) == peak
    times = [event["ts"] for event in trace["traceEvents"] if event["ph"] == "C"]
    assert times == sorted(times)
