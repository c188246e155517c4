"""``--schedule`` and ``--no-fusion``: another schedule, and results that say so."""

from pathlib import Path

import pytest

from hwsim.cli.options import SCHEDULES
from hwsim.schedule.objective import OBJECTIVES
from tests.e2e.conftest import Command

SIZE = ("--input-size", "24x20")


def test_the_command_line_knows_every_objective() -> None:
    assert set(SCHEDULES) == set(OBJECTIVES)


def test_without_fusion_layers_run_alone_and_feature_maps_go_through_dram(
    hwsim: Command, graph_file: Path
) -> None:
    fused = hwsim("estimate", graph_file, *SIZE, "--json").json
    alone = hwsim("estimate", graph_file, *SIZE, "--no-fusion", "--json").json
    assert (fused["fusion"], alone["fusion"]) == (True, False)
    assert fused["objective"] == alone["objective"] == "balanced"
    assert fused["accelerator"] == "edge_npu"
    assert alone["accelerator"] == "edge_npu (fusion=False)"
    cascades = [layer["cascade"] for layer in alone["layers"]]
    assert cascades == list(range(len(cascades)))
    assert len({layer["cascade"] for layer in fused["layers"]}) < len(cascades)
    moved = [found["dram_read_bytes"] + found["dram_write_bytes"] for found in (fused, alone)]
    assert moved[0] < moved[1]


@pytest.mark.parametrize("objective", SCHEDULES)
def test_a_run_says_what_its_schedule_was_chosen_for(
    hwsim: Command, graph_file: Path, picture_file: Path, objective: str
) -> None:
    run = hwsim("run", graph_file, "--image", picture_file, "--schedule", objective, "--json").json
    assert run["objective"] == objective
    assert run["accelerator"] == f"edge_npu (objective={objective})"
    assert run["bit_exact"]["mismatches"] == 0
    estimated = hwsim("estimate", graph_file, *SIZE, "--schedule", objective, "--json").json
    assert estimated["cycles"] == run["cycles"]


def test_each_objective_is_least_in_what_it_counts(hwsim: Command, graph_file: Path) -> None:
    found = {
        objective: hwsim("estimate", graph_file, "--input-size", "96x96", "--accelerator",
                         "tiny_npu", "--schedule", objective, "--json").json
        for objective in SCHEDULES
    }  # fmt: skip

    def moved(objective: str) -> int:
        return int(found[objective]["dram_read_bytes"] + found[objective]["dram_write_bytes"])

    assert moved("dram") == min(map(moved, SCHEDULES))


def test_a_wrong_objective_is_refused_in_a_sentence(
    hwsim: Command,
) -> None:
    for command in ("run", "estimate", "search", "compare"):
        done = hwsim(command, "--schedule", "speed")
        assert done.status == 2
        sentence = done.err.strip()
        assert sentence.startswith(f"hwsim {command}: argument --schedule: invalid choice: 'speed'")
        assert all(objective in sentence for objective in SCHEDULES)
        assert sentence.endswith(f"see hwsim {command} --help")
        assert "\n" not in sentence


def test_compared_machines_are_all_scheduled_so(hwsim: Command) -> None:
    done = hwsim("compare", "edsr_tiny_x2", "--accelerator", "edge_npu", "tiny_npu", "--input-size",
                 "24x24", "--schedule", "dram", "--no-fusion", "--json")  # fmt: skip
    assert {row["accelerator"] for row in done.json["rows"]} == {
        f"{name} (objective=dram, fusion=False)" for name in ("edge_npu", "tiny_npu")
    }
