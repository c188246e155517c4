"""The record of a result: its keys, its arithmetic, its JSON."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from accelerators import EnergyModel, area_of
from hwsim.report.activity import Activity, LayerActivityRecord
from hwsim.report.adaptive import Adaptive, Patch, Variant
from hwsim.report.energy_band import EnergyBand, TableEnergy
from hwsim.report.explanation_record import (
    ExplainedGroup,
    ExplainedLayer,
    ExplanationRecord,
    RooflineRecord,
)
from hwsim.report.overflows import FirstOverflow, OverflowingLayer, OverflowRecord
from hwsim.report.result import (
    BitExact,
    Layer,
    Model,
    Output,
    Result,
    feature_average_bits,
    result_from_cost,
    weight_average_bits,
)
from quant.graph import Convolution
from tests.unit.report.conftest import Priced

PAGE = Path(__file__).resolve().parents[3] / "docs" / "results-contract.md"

CONTRACT = [
    "network", "method", "policy", "accelerator", "energy_table", "input_size", "output_size",
    "macs", "cycles", "latency_ms", "launch_overhead_ms", "frames_per_second", "energy_uj",
    "energy_by_component_uj",
    "dram_read_bytes", "dram_write_bytes", "sram_peak_kib", "mac_utilization",
    "feature_average_bits", "weight_average_bits", "psnr_db", "ssim", "output", "bit_exact",
    "overflows", "explanation", "wall_seconds", "layers",
]  # fmt: skip
LAYER_CONTRACT = [
    "name", "operator", "cascade", "weight_bits", "activation_bits", "macs", "cycles", "energy_uj",
    "dram_bytes", "mac_utilization", "energy_by_component_uj", "busy_cycles",
]  # fmt: skip


def test_every_promised_key_is_there_null_where_it_does_not_apply(priced: Priced) -> None:
    record = json.loads(priced.result.to_json())

    assert set(CONTRACT) <= set(record)
    for key in ("psnr_db", "ssim", "output", "bit_exact", "overflows", "explanation"):
        assert record[key] is None
    for layer in record["layers"]:
        assert list(layer) == LAYER_CONTRACT


@pytest.mark.parametrize(
    "part",
    [
        Result,
        Layer,
        Output,
        BitExact,
        OverflowRecord,
        FirstOverflow,
        OverflowingLayer,
        Adaptive,
        Patch,
        Variant,
        ExplanationRecord,
        ExplainedGroup,
        RooflineRecord,
        ExplainedLayer,
        Model,
        EnergyBand,
        TableEnergy,
        Activity,
        LayerActivityRecord,
    ],
)
def test_the_page_defines_exactly_the_keys_there_are(part: type) -> None:
    section = PAGE.read_text().split(f"<!-- keys: {part.__name__} -->")[1].split("<!--")[0]

    documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)

    assert documented == [field.name for field in fields(part)]


def test_totals_are_sums_over_the_layers(priced: Priced) -> None:
    result = priced.result

    assert result.macs == sum(layer.macs for layer in result.layers)
    assert result.cycles == sum(layer.cycles for layer in result.layers)
    dram_bytes = sum(layer.dram_bytes for layer in result.layers)
    assert result.dram_read_bytes + result.dram_write_bytes == dram_bytes
    assert result.energy_uj == pytest.approx(sum(layer.energy_uj for layer in result.layers))
    assert result.energy_uj == pytest.approx(sum(result.energy_by_component_uj.values()))
    for layer in result.layers:
        assert layer.energy_uj == pytest.approx(sum(layer.energy_by_component_uj.values()))
    for component, energy_uj in result.energy_by_component_uj.items():
        parts = (layer.energy_by_component_uj.get(component, 0.0) for layer in result.layers)
        assert energy_uj == pytest.approx(sum(parts))


def test_rates_follow_from_cycles_and_clock(priced: Priced) -> None:
    result, cost = priced.result, priced.cost

    assert result.latency_ms == pytest.approx(result.cycles / (cost.clock_mhz * 1000))
    assert result.frames_per_second * result.latency_ms == pytest.approx(1000)
    slots = result.cycles * cost.mac_slots_per_cycle
    assert result.mac_utilization == pytest.approx(result.macs / slots)


def test_sizes_are_height_then_width(priced: Priced) -> None:
    assert priced.result.input_size == (18, 26)
    assert priced.result.output_size == (36, 52)


def test_features_average_over_convolutions_and_weights_over_weights(priced: Priced) -> None:
    assert feature_average_bits(priced.graph) == pytest.approx((8 + 6 + 4 + 3 + 1 + 8) / 6)

    bits = {"head": 8, "block0.conv1": 4, "block0.conv2": 2, "body_end": 8, "upsampler": 1,
            "tail": 8}  # fmt: skip
    sizes = {
        node.name: node.operator.weight.size
        for node in priced.graph.nodes
        if isinstance(node.operator, Convolution)
    }
    wanted = sum(bits[name] * size for name, size in sizes.items()) / sum(sizes.values())
    assert weight_average_bits(priced.graph) == pytest.approx(wanted)


def test_the_area_is_that_of_the_machine_and_says_what_it_rests_on(priced: Priced) -> None:
    result, machine = priced.result, priced.energy.accelerator
    area = area_of(machine, priced.energy.table)

    assert (result.area_mm2, result.gate_equivalents) == (area.area_mm2, area.gate_equivalents)
    assert result.area_by_component_mm2 == area.by_component_mm2
    assert result.area_mm2 == sum(mm2 for mm2 in result.area_by_component_mm2.values() if mm2)
    assert result.model.area_notes == area.notes
    assert any(line.startswith("wires") for line in result.model.area_not_modelled)


def test_an_area_that_is_not_known_is_null(priced: Priced) -> None:
    table = priced.energy.table.model_copy(update={"datapath_factors": None})
    energy = EnergyModel(priced.energy.accelerator, table)
    result = result_from_cost(priced.graph, priced.estimate.program, priced.cost, energy)
    record = json.loads(result.to_json())

    assert (record["area_mm2"], record["gate_equivalents"]) == (None, None)
    assert record["area_by_component_mm2"]["mac_array"] is None
    assert record["area_by_component_mm2"]["sram"] > 0
    assert "names no synthesis study with areas" in record["model"]["area_notes"][0]


def test_an_infinite_psnr_is_null_because_json_has_no_infinity(priced: Priced) -> None:
    record = json.loads(replace(priced.result, psnr_db=float("inf")).to_json())

    assert record["psnr_db"] is None


def test_names_come_from_the_metadata_of_the_graph(priced: Priced) -> None:
    assert priced.result.network == "edsr_random"
    assert priced.result.method is None
    assert priced.result.accelerator == "tiny_npu"
    assert priced.result.energy_table == "horowitz45"
    assert priced.result.model.technology_nm == 45
    assert any("refresh" in line for line in priced.result.model.not_modelled)


@pytest.mark.parametrize(
    ("metadata", "policy"),
    [
        ({}, None),
        ({"policy": "default: w4a8\nresidual_bits: 16\n"}, "default: w4a8, residual_bits: 16"),
        ({"policy": "default: w4a8\n", "bits": "w4a8, residual 12"}, "w4a8, residual 12"),
    ],
)
def test_the_policy_is_one_line(
    priced: Priced, metadata: dict[str, str], policy: str | None
) -> None:
    graph = replace(priced.graph, metadata=metadata)
    cost, program = priced.cost, priced.estimate.program

    assert result_from_cost(graph, program, cost, priced.energy).policy == policy
