"""Counts, energies and tables of costs say what an estimate says."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hwsim.estimation import Estimator
from hwsim.export.haq import cost_tables
from hwsim.export.request import Settings
from hwsim.simulation import estimate
from quant.graph.widths import with_layer_bits
from tests.edsr_graphs import edsr_graph
from tests.unit.export.requests import SIZE, exported, request_of
from tests.unit.interchange.small_graphs import small_graph

WIDTHS = Settings(widths=(2, 4, 8))


def accelergy_energy(counts: Any, table: Any) -> dict[str, float]:
    """Picojoules by component, added up as Accelergy does (``energy_calculator.py``)."""
    prices: dict[str, dict[str, list[Any]]] = {}
    for component in table["ERT"]["tables"]:
        for action in component["actions"]:
            by_name = prices.setdefault(component["name"], {})
            by_name.setdefault(action["name"], []).append(action)
    energy = {}
    for component in counts["action_counts"]["local"]:
        total = 0.0
        for action in component["action_counts"]:
            (price,) = [
                entry["energy"]
                for entry in prices[component["name"]][action["name"]]
                if "arguments" not in action or entry["arguments"] == action["arguments"]
            ]
            total += action["counts"] * price
        energy[component["name"]] = total
    return energy


def test_accelergys_sum_is_the_energy_of_an_estimate(tmp_path: Path) -> None:
    request = request_of(edsr_graph(1, 4, bits={**dict.fromkeys(
        ("head", "block0.conv1", "block0.conv2", "body_end", "upsampler", "tail"), (8, 8)),
        "body_end": (3, 4)}))  # fmt: skip
    files = exported("accelergy", request, tmp_path)
    counts, table = (
        yaml.safe_load(files.text(f"{name}.yaml")) for name in ("action_counts", "ERT")
    )
    found = accelergy_energy(counts, table)
    cost = estimate(request.graph, request.accelerator, request.energy, SIZE).cost
    expected = {name: 1e6 * energy for name, energy in cost.energy_by_component_uj.items()}
    by_component = {name.rpartition(".")[2]: energy for name, energy in found.items()}
    assert by_component == pytest.approx(expected, rel=1e-12)
    macs = [
        action["counts"]
        for component in counts["action_counts"]["local"]
        for action in component["action_counts"]
        if action["name"] == "mac"
    ]
    assert len(macs) == 2
    assert sum(macs) == request.graph.macs(SIZE)


def test_tables_add_up_to_an_estimate(tmp_path: Path) -> None:
    request = request_of(edsr_graph(1, 4), settings=WIDTHS)
    found = cost_tables(request)
    cost = estimate(request.graph, request.accelerator, request.energy, SIZE).cost
    own = {
        measure: sum(table[n, w - 1, a - 1] for n, (w, a) in enumerate(found.widths))
        + found.others[measure]
        for measure, table in found.tables.items()
    }
    assert own["cycles"] == cost.cycles
    assert own["energy_uj"] == pytest.approx(cost.energy_uj, rel=1e-12)
    assert own["dram_bytes"] == cost.dram_read_bytes + cost.dram_write_bytes


def test_a_layer_that_changes_alone_is_priced_as_that_graph() -> None:
    request = request_of(edsr_graph(1, 4), settings=WIDTHS)
    found = cost_tables(request)
    division = Estimator(request.accelerator, request.energy).fixed(request.graph, SIZE)
    layer = found.layers.index("block0.conv2")
    other = division.cost(with_layer_bits(request.graph, {"block0.conv2": (2, 4)}))
    assert other is not None
    table = found.tables["cycles"]
    weight, activation = found.widths[layer]
    change = table[layer, 1, 3] - table[layer, weight - 1, activation - 1]
    assert change == other.cycles - division.total.cycles


def test_a_layer_that_reads_the_image_has_the_images_codes_whatever_is_asked_for() -> None:
    found = cost_tables(request_of(small_graph("tflite_double"), settings=WIDTHS))
    first = found.tables["energy_uj"][found.layers.index("one")]
    assert first[7, 1] == first[7, 7] > first[1, 7]


def test_what_was_not_asked_for_is_no_number() -> None:
    found = cost_tables(request_of(edsr_graph(1, 4), settings=WIDTHS))
    table = found.tables["energy_uj"]
    assert table.shape == (6, 8, 8)
    priced = ~np.isnan(table[found.layers.index("block0.conv1")])
    assert {tuple(place) for place in np.argwhere(priced) + 1} == {
        (w, a) for w in (2, 4, 8) for a in (2, 4, 8)
    }


def test_the_tables_are_written_in_three_ways(tmp_path: Path) -> None:
    request = request_of(edsr_graph(1, 4), settings=WIDTHS)
    files = exported("haq", request, tmp_path)
    content = json.loads(files.text("costs.json"))
    rows = list(csv.DictReader(files.text("costs.csv").splitlines()))
    for measure in ("cycles", "energy_uj", "dram_bytes"):
        table = np.load(tmp_path / f"{measure}.npy")
        as_json = np.array(content[measure], np.float64)
        np.testing.assert_array_equal(np.isnan(table), np.isnan(as_json))
        np.testing.assert_array_equal(table[~np.isnan(table)], as_json[~np.isnan(table)])
        for row in rows:
            place = content["layers"].index(row["layer"]), int(row["weight_bits"]) - 1
            found = table[(*place, int(row["activation_bits"]) - 1)]
            assert float(row[measure]) == pytest.approx(found, rel=1e-8)
    assert len(rows) == np.count_nonzero(~np.isnan(np.load(tmp_path / "cycles.npy")))
    assert content["bits"][0] == [8, 8]
