"""Accumulators that are too narrow, from the command line to the result."""

from pathlib import Path

import pytest

from accelerators import load_accelerator, resized
from hwsim.cli.options import OVERFLOWS as OFFERED
from quant.common.accumulators import OVERFLOWS
from quant.graph import load_graph
from tests.e2e.conftest import Command

NARROW = ("--accelerator", "tiny_npu", "--accumulator-bits", "16")


def test_every_overflow_is_offered() -> None:
    assert set(OFFERED) == set(OVERFLOWS)


@pytest.mark.parametrize("overflow", ["wrap", "saturate_final", "saturate_step"])
def test_a_run_counts_and_locates_overflows(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path, overflow: str
) -> None:
    arguments = ("run", graph_file, "--image", picture_file, *NARROW, "--overflow", overflow)

    done = hwsim(*arguments, "--json", "--out", tmp_path)

    assert done.status == 0
    assert done.json["bit_exact"]["mismatches"] == 0
    found = done.json["overflows"]
    assert found["count"] == sum(layer["count"] for layer in found["layers"]) > 0
    overflowing = [layer for layer in found["layers"] if layer["count"]]
    assert {layer["bits"] for layer in found["layers"]} == {16}
    assert {layer["overflow"] for layer in found["layers"]} == {overflow}
    assert found["first"]["operator"] == overflowing[0]["operator"]
    assert not -(2**15) <= found["first"]["sum"] < 2**15
    summary = " ".join(hwsim(*arguments, "--check", "none").out.split())
    one = overflowing[0]
    assert (
        f"{one['count']:,} of {one['accumulators']:,} accumulators of {one['operator']} left 16 "
        f"bits ({overflow}); first at row {found['first']['row']}, column"
    ) in summary
    again = hwsim("run", tmp_path / "graph.hwgraph", "--image", picture_file, *arguments[4:])
    assert again.status == 0


def test_an_overflow_that_must_not_be_is_status_1_and_one_sentence(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    arguments = ("run", graph_file, "--image", picture_file, *NARROW, "--overflow", "error")

    done = hwsim(*arguments, "--out", tmp_path / "out", "--quiet")

    assert done.status == 1
    assert done.out == ""
    assert done.err.startswith("hwsim run: operator '")
    assert "expected sums of -32768 to 32767, what an accumulator of 16 bits holds" in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_machine_where_overflows_are_errors_refuses_in_advance(
    hwsim: Command, graph_file: Path, picture_file: Path
) -> None:
    done = hwsim("run", graph_file, "--image", picture_file, *NARROW)

    assert done.status == 2
    assert "its sums need an accumulator of" in done.err


def test_an_estimate_names_the_layers_that_can_overflow(hwsim: Command, graph_file: Path) -> None:
    arguments = ("estimate", graph_file, "--input-size", "12x10", *NARROW, "--overflow", "wrap")

    found = hwsim(*arguments, "--json").json["overflows"]

    assert found["count"] is found["first"] is None
    names = [layer["operator"] for layer in found["layers"]]
    assert names
    assert all(layer["count"] is None for layer in found["layers"])
    assert f"possible in {', '.join(names[:3])}" in " ".join(hwsim(*arguments).out.split())
    sizes = {node.name: node.output.channels for node in load_graph(graph_file).nodes}
    assert found["layers"][0]["accumulators"] == 12 * 10 * sizes[names[0]]
    assert hwsim("estimate", graph_file, "--json").json["overflows"] is None


def test_the_accelerator_file_says_so_too(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    machine = resized(
        load_accelerator("tiny_npu"), accumulator_bits=16, accumulator_overflow="wrap"
    )
    path = tmp_path / "narrow.yaml"
    path.write_text(machine.model_dump_json(), encoding="utf-8")  # JSON is YAML as well

    by_file = hwsim("run", graph_file, "--image", picture_file, "--accelerator", path, "--json")
    by_option = hwsim(
        "run", graph_file, "--image", picture_file, *NARROW, "--overflow", "wrap", "--json"
    )

    assert by_file.json["overflows"] == by_option.json["overflows"] is not None
    assert by_file.json["output"]["sha256"] == by_option.json["output"]["sha256"]


def test_accumulators_that_hold_no_product_are_refused(hwsim: Command, graph_file: Path) -> None:
    done = hwsim("estimate", graph_file, "--accumulator-bits", "12", "--overflow", "wrap")

    assert done.status == 2
    assert "array.accumulator_bits: expected at least 16, the width of one product" in done.err
