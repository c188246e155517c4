"""``--explain`` from arguments to tables, picture and JSON."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hwsim.cost.explanation import CAUSES
from quant.graph.adaptive_file import save_any_graph
from tests.adaptive_graphs import adaptive_graph
from tests.e2e.conftest import Command


@pytest.fixture(scope="module")
def adaptive_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graphs") / "adaptive.hwgraph"
    save_any_graph(adaptive_graph(), path)
    return path


def _cycles_by_cascade(entries: list[dict[str, Any]]) -> Counter[int]:
    """Cycles of layers, or of an explanation's groups, that run together."""
    found: Counter[int] = Counter()
    for entry in entries:
        found[entry["cascade"]] += entry["cycles"]
    return found


def test_a_run_and_an_estimate_have_one_explanation(
    hwsim: Command, graph_file: Path, picture_file: Path, tmp_path: Path
) -> None:
    run = hwsim("run", graph_file, "--image", picture_file, "--explain", "--json",
                "--check", "none", "--out", tmp_path / "out")  # fmt: skip
    estimated = hwsim("estimate", graph_file, "--input-size", "24x20", "--explain", "--json")

    explanation = run.json["explanation"]
    assert explanation == estimated.json["explanation"]
    assert explanation["cycles_by_cause"].keys() == CAUSES.keys()
    assert sum(explanation["cycles_by_cause"].values()) == pytest.approx(run.json["cycles"])
    assert _cycles_by_cascade(explanation["groups"]) == _cycles_by_cascade(run.json["layers"])
    assert (tmp_path / "out" / "explanation.png").exists()


def test_for_people_the_tables_come_after_the_summary(hwsim: Command, graph_file: Path) -> None:
    done = hwsim("estimate", graph_file, "--input-size", "24x20", "--explain")
    summary, tables = done.out.split("where cycles go, in %")
    assert "energy per image" in summary
    assert "roofline, in MACs a cycle, and memory, in KiB, of each cascade" in tables
    assert "where cycles go" not in hwsim("estimate", graph_file, "--input-size", "24x20").out


@pytest.mark.parametrize("patch", [(), ("--patch", 10)])
def test_causes_add_up_where_the_image_chooses_and_in_patches(
    hwsim: Command,
    adaptive_file: Path,
    graph_file: Path,
    picture_file: Path,
    patch: tuple[object, ...],
) -> None:
    for file in (adaptive_file, graph_file):
        run = hwsim("run", file, "--image", picture_file, "--accelerator", "tiny_npu",
                    "--explain", "--json", "--check", "none", *patch)  # fmt: skip
        groups = run.json["explanation"]["groups"]
        assert len({group["cascade"] for group in groups}) == len(groups)
        assert _cycles_by_cascade(groups) == _cycles_by_cascade(run.json["layers"])


def test_an_expectation_has_no_explanation(hwsim: Command, adaptive_file: Path) -> None:
    done = hwsim("estimate", adaptive_file, "--input-size", "24x20", "--explain")
    assert done.status == 2
    assert done.err.strip().splitlines()[-1] == (
        "hwsim estimate: --explain: the image decides the bits of this network, so that an "
        "estimate is a mean over images, which no timeline has; explain a run (hwsim run --explain)"
    )
