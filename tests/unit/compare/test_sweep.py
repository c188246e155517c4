"""A whole comparison on small graphs, without torch."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hwsim.adaptive import front_end
from hwsim.compare import (
    CompareRequest,
    CompareResult,
    PictureSet,
    Spread,
    read_picture_set,
    sweep,
)
from hwsim.ledger import FILE_NAME
from hwsim.simulation import estimate
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.imaging import write_png
from quant.imaging.evaluation import judge
from quant.policy import BitPolicy
from tests.edsr_graphs import edsr_graph
from tests.machines import machine, prices
from tests.unit.compare.adaptive_graphs import ItsOwnOracle, Quantizer, by_brightness, entry

SMALL, TINY = (prices(machine(kib, side)) for kib, side in ((64, 8), (16, 4)))
SIZE = Size(8, 10)


@cache
def pictures(tmp: Path) -> PictureSet:
    """Two data sets: a dark picture, and two light ones."""
    random = np.random.default_rng(5)
    for folder, name, low, high in (("dark", "a", 0, 60), ("light", "b", 180, 256),
                                    ("light", "c", 200, 256)):  # fmt: skip
        write_png(tmp / folder / f"{name}.png", random.integers(low, high, (24, 28, 3), np.uint8))
    return read_picture_set([tmp / "dark", tmp / "light"], 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


def request_of(quantize: Quantizer, shown: PictureSet, *methods: str) -> CompareRequest:
    return CompareRequest(
        (entry(quantize),),
        methods or ("plain",),
        {"w8a8": BitPolicy.parse("w8a8"), "w4a4": BitPolicy.parse("w4a4")},
        (SMALL, TINY),
        {2: shown},
        SIZE,
    )


def test_every_combination_has_a_row_in_order(folder: Path) -> None:
    found = sweep(request_of(Quantizer(), pictures(folder), "one", "two"))
    rows = [(c.combination.method, c.combination.policy) for c in found.cells]
    assert rows[::2] == rows[1::2]  # the machines
    assert rows[::2] == [("one", "w8a8"), ("one", "w4a4"), ("two", "w8a8"), ("two", "w4a4")]
    assert found.data_sets == ("dark", "light")


def test_a_row_has_the_quality_of_its_integers_and_the_cost_of_its_graph(folder: Path) -> None:
    shown = pictures(folder)
    cell = sweep(request_of(Quantizer(), shown)).cells[1]
    graph = edsr_graph(1, 4, bits=(8, 8))
    cost = estimate(graph, TINY.accelerator, TINY, SIZE).cost
    energy = cell.spread("energy_uj")
    assert energy is not None
    assert (energy.mean, energy.p95) == (cost.energy_uj, cost.energy_uj)
    assert cell.counted_feature_average_bits is None
    assert cell.latency_ms is not None
    assert cell.latency_ms.mean == cost.latency_ms
    from hwsim.machine import REFERENCE, run_layerwise

    picture = shown.pictures[0]
    codes = run_layerwise(graph, picture.low.astype(np.int32), REFERENCE).astype(np.uint8)
    assert cell.quality is not None
    expected = judge(picture.high, codes, 2)
    assert cell.quality["integer"][0]["psnr_db"] == expected.psnr_db
    assert cell.quality["integer"][0]["ssim"] == expected.ssim
    assert cell.quality["float"] == cell.quality["bicubic"]  # of this entry


def test_means_are_over_the_pictures_of_a_data_set(folder: Path) -> None:
    found = sweep(request_of(Quantizer(), pictures(folder)))
    cell = found.cells[0]
    assert cell.quality is not None
    dark, *light = (record["psnr_db"] for record in cell.quality["integer"])
    for name, figures in (("dark", [dark]), ("light", light)):
        quality = found.quality(cell, name, "integer")
        assert quality is not None
        assert quality.psnr_db == pytest.approx(np.mean(figures))
    assert found.quality(cell, "dark", "fake_quantized") is None


def test_bits_that_depend_on_the_image_spread_costs_over_the_pictures(folder: Path) -> None:
    cell = sweep(request_of(Quantizer(), pictures(folder), "adaptive")).cells[0]
    graphs = by_brightness()
    one, other, selector = (
        estimate(graph, SMALL.accelerator, SMALL, SIZE)
        for graph in (*graphs.variants, graphs.selector)
    )
    few, many = one.cost.energy_uj, other.cost.energy_uj
    added = front_end(selector, SMALL.accelerator, SMALL).energy_uj
    energy = cell.spread("energy_uj")
    assert energy is not None
    assert energy.mean == pytest.approx((few + 2 * many) / 3 + added)  # one dark, two light
    assert (energy.p5, energy.p95) == (few + added, many + added)
    assert cell.counted_feature_average_bits == Spread(pytest.approx((4 + 8 + 8) / 3), 4, 8)
    assert cell.quality is not None
    assert [record["variant"] for record in cell.quality["integer"]] == [0, 1, 1]


def test_without_pictures_costs_take_the_expected_shares() -> None:
    request = replace(request_of(Quantizer(), PictureSet(2, ()), "adaptive"), pictures={})
    cell = sweep(request).cells[0]
    bits = cell.feature_average_bits
    assert bits is not None
    assert bits.mean == pytest.approx(0.25 * 4 + 0.75 * 8)
    assert cell.quality is None


def test_networks_without_trained_weights_are_priced_and_not_judged(folder: Path) -> None:
    request = request_of(Quantizer(), pictures(folder))
    found = sweep(replace(request, networks=(entry(Quantizer(), trained=False),)))
    assert all(cell.quality is None and cell.costs is not None for cell in found.cells)


def test_an_interrupted_sweep_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    shown, whole = pictures(folder), sweep(request_of(Quantizer(), pictures(folder), "one", "two"))

    def interrupt(done: int, total: int) -> None:
        assert total == 8
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(request_of(Quantizer(), shown, "one", "two"), tmp_path, interrupt)
    resumed, again = Quantizer(), Quantizer()
    first = sweep(request_of(resumed, shown, "one", "two"), tmp_path)
    kept = (tmp_path / FILE_NAME).read_bytes()
    second = sweep(request_of(again, shown, "one", "two"), tmp_path)
    assert first.to_json() == second.to_json() == whole.to_json()
    assert resumed.asked == ["two w8a8 half_up", "two w4a4 half_up"]
    assert again.asked == []
    assert (tmp_path / FILE_NAME).read_bytes() == kept


def test_what_changes_figures_is_measured_again(folder: Path, tmp_path: Path) -> None:
    request = request_of(Quantizer(), pictures(folder))
    sweep(request, tmp_path)
    for changed in (
        replace(request, rounding="half_even"),
        replace(request, networks=(replace(request.networks[0], identity="other"),)),
        replace(request, size=Size(9, 9)),
        replace(request, policies={"w8a8": BitPolicy.parse("w8a8/all")}),
        replace(request, machines=(prices(machine(128, 8)),)),
    ):
        quantize = Quantizer()
        networks = tuple(replace(network, quantize=quantize) for network in changed.networks)
        sweep(replace(changed, networks=networks), tmp_path)
        assert quantize.asked


def test_the_same_codes_in_reals_are_judged_where_asked_for(folder: Path) -> None:
    request = request_of(Quantizer(), pictures(folder))
    found = sweep(replace(request, networks=(entry(Quantizer(), fake=True),)))
    cell = found.cells[0]
    # The simulation of this entry is the graph itself.
    assert found.quality(cell, "dark", "fake_quantized") == found.quality(cell, "dark", "integer")


def test_codes_that_differ_from_those_in_reals_are_counted(folder: Path) -> None:
    shown = pictures(folder)
    checked = shown.smallest().low
    request = replace(request_of(Quantizer(), shown), check=checked)
    for wrong in (0, 1):
        quantizer = Quantizer()
        graph = quantizer("one", BitPolicy.parse("w8a8"), "half_up")
        assert isinstance(graph, Graph)
        real = ItsOwnOracle(graph, wrong)
        network = replace(entry(quantizer), fake_quantize=lambda *_, real=real: real)
        (cell, *_) = sweep(replace(request, networks=(network,))).cells
        assert cell.fidelity is not None
        assert cell.fidelity.values > checked.size * 4
        assert cell.fidelity.differing == wrong * checked.size * 4
        assert cell.fidelity.farthest_from_tie == 0.5 * wrong


def test_every_machine_runs_the_picture_to_be_checked(folder: Path) -> None:
    shown = pictures(folder)
    checked = shown.smallest().low
    request = replace(request_of(Quantizer(), shown, "one", "adaptive"), check=checked)
    found = sweep(request)
    for cell in found.cells:
        sums = 3 if cell.combination.method == "adaptive" else 0
        assert cell.bit_exact is not None
        assert cell.bit_exact.mismatches == 0
        assert cell.bit_exact.values == checked.size * 4 + sums


def test_a_row_that_cannot_be_done_says_why_and_others_go_on(folder: Path) -> None:
    said: list[str] = []
    found = sweep(request_of(Quantizer(), pictures(folder), "broken", "plain"), say=said.append)
    errors = [cell.error for cell in found.cells]
    sentence = "method broken: expected another network, given this; choose one"
    assert errors == [sentence] * 4 + [None] * 4
    assert said[0] == f"small, broken, w8a8, {SMALL.accelerator.name}: {sentence}"
    assert len(said) == 4
    assert found.to_json()["rows"][0]["energy_uj"] is None


def test_a_machine_without_room_is_such_a_row(folder: Path) -> None:
    request = request_of(Quantizer(), pictures(folder), "wide")
    cramped = prices(machine(1, 4))
    found = sweep(replace(request, machines=(SMALL, cramped)))
    assert found.cells[0].error is None
    assert "of SRAM" in str(found.cells[1].error)


def test_nothing_that_can_be_done_is_an_error(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        sweep(request_of(Quantizer(), pictures(folder), "broken"))
    assert str(caught.value) == "method broken: expected another network, given this; choose one"


def test_the_result_is_plain_json_whose_layers_add_up(folder: Path) -> None:
    found: CompareResult = sweep(request_of(Quantizer(), pictures(folder), "adaptive"))
    record = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert record["input_size"] == [8, 10]
    assert record["data_sets"] == [
        {"name": "dark", "pictures": 1}, {"name": "light", "pictures": 2},
    ]  # fmt: skip
    row = record["rows"][0]
    assert row["output_size"] == [16, 20]
    assert [variant["share"] for variant in row["variants"]] == pytest.approx([1 / 3, 2 / 3])
    for graph in (*row["variants"], row["selector"]):
        assert graph["bit_operations"] == sum(layer["bit_operations"] for layer in graph["layers"])
    mean = sum(v["share"] * v["bit_operations"] for v in row["variants"])
    assert row["bit_operations"]["mean"] == pytest.approx(mean)
    assert row["quality"][0]["psnr_db"]["integer"] < row["quality"][0]["psnr_db"]["float"]
