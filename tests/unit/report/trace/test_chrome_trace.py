"""The trace file: its form, its tracks, what slices say, and what cannot be."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwsim.report.trace import TraceSubject, trace_subject, traced_program, write_trace
from tests.unit.report.conftest import Priced

Json = dict[str, Any]


def subject(priced: Priced) -> TraceSubject:
    return trace_subject('a "network"', priced.cost, priced.energy.accelerator)


def written(priced: Priced, path: Path) -> Json:
    cascades = traced_program(priced.estimate.program, priced.energy.accelerator)
    write_trace(path, cascades, subject(priced))
    content = path.read_bytes()
    record: Json = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    return record


def test_tracks_and_the_machine_are_named_and_in_order(priced: Priced, tmp_path: Path) -> None:
    events = written(priced, tmp_path / "trace.json")["traceEvents"]

    about = [event for event in events if event["ph"] == "M"]
    assert [(e["tid"], e["args"]["name"]) for e in about if e["name"] == "thread_name"] == [
        (1, "cascades"),
        (2, "DMA channel"),
        (3, "MAC array"),
        (4, "vector unit"),
    ]
    assert [e["args"]["name"] for e in about if e["name"] == "process_name"] == ['a "network"']
    orders = [e["args"]["sort_index"] for e in about if e["name"] == "thread_sort_index"]
    assert orders == [1, 2, 3, 4]


def test_slices_say_layer_tile_bytes_and_products(priced: Priced, tmp_path: Path) -> None:
    events = written(priced, tmp_path / "trace.json")["traceEvents"]

    slices = [event for event in events if event["ph"] == "X" and event["tid"] > 1]
    layers = {group.name for group in priced.estimate.program.groups}
    for each in slices:
        assert {"pid", "tid", "ts", "dur", "cat", "name", "args"} < set(each)
        assert each["args"]["layer"] in layers
        assert {"start_cycle", "cycles"} < set(each["args"])
        if each["cat"] in ("load", "store"):
            assert each["args"]["bytes"] > 0
        if each["cat"] == "convolution":
            assert each["args"]["macs"] > 0
            tile = each["args"]["tile"]
            assert set(tile) == {"row", "column", "rows", "columns", "first_channel", "channels"}
    head = next(each for each in slices if each["name"] == "head")
    assert head["args"]["layer"] == "head"
    stores = [each for each in slices if each["name"] == "store tail"]
    rows = {(e["args"]["tile"]["row"], e["args"]["tile"]["rows"]) for e in stores}
    assert sum(count for _, count in rows) == priced.result.output_size[0]
    assert any(each["name"].startswith("load constants of ") for each in slices)


def test_the_same_trace_is_the_same_file_compressed_too(priced: Priced, tmp_path: Path) -> None:
    for name in ("a.json", "b.json", "a.json.gz", "b.json.gz"):
        written(priced, tmp_path / name)

    for suffix in (".json", ".json.gz"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert gzip.decompress((tmp_path / "a.json.gz").read_bytes()) == (
        (tmp_path / "a.json").read_bytes()
    )


def test_what_the_trace_is_of_stands_in_it(priced: Priced, tmp_path: Path) -> None:
    about = written(priced, tmp_path / "trace.json")["otherData"]

    assert about["cycles"] == priced.result.cycles
    assert about["clock_mhz"] == priced.energy.accelerator.clock_mhz
    busy = sum(layer.busy_cycles["mac_array"] for layer in priced.result.layers)
    assert about["mac_array_busy_cycles"] == busy


def test_progress_is_told_in_cycles(priced: Priced, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    cascades = traced_program(priced.estimate.program, priced.energy.accelerator)

    write_trace(tmp_path / "t.json", cascades, subject(priced), lambda *step: told.append(step))

    assert told == sorted(told)
    assert {total for _, total in told} == {priced.result.cycles}


def test_a_trace_of_other_cycles_than_the_account_is_refused(
    priced: Priced, tmp_path: Path
) -> None:
    cascades = traced_program(priced.estimate.program, priced.energy.accelerator)
    wrong = replace(subject(priced), cycles=priced.result.cycles + 1)

    with pytest.raises(ValueError, match="the account"):
        write_trace(tmp_path / "trace.json", cascades, wrong)
