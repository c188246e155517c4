import json

import pytest

from accelerators import Action, EnergyModel, load_energy_table
from hwsim.compare.alternatives import Alternatives
from hwsim.compare.costs import ImageCosts, Spread, image_costs
from hwsim.compare.overheads import BIT_SELECTION, CLASSES, by_class, class_of
from hwsim.cost.charges import ARRAY_CLOCK
from hwsim.estimation import Estimator
from hwsim.simulation import estimate
from quant.graph import Graph, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine, prices
from tests.unit.compare.adaptive_graphs import by_brightness, selector

MACHINE = machine(sram_kib=64, array=8)
ENERGY = prices(MACHINE)
SIZE = Size(10, 12)


def test_classes_add_up_to_all_the_energy() -> None:
    cost = estimate(edsr_graph(1, 6), MACHINE, ENERGY, SIZE).cost
    classes = by_class(cost, ENERGY)
    assert sum(part.energy_uj for part in classes.values()) == pytest.approx(cost.energy_uj)
    assert {"multiplication", "requantization", "DRAM", "SRAM", "leakage"} <= classes.keys()
    assert all(part.energy_uj > 0 for part in classes.values())


def test_a_clock_that_a_table_charges_apart_is_a_class() -> None:
    energy = EnergyModel(MACHINE, load_energy_table("synth45"))
    cost = estimate(edsr_graph(1, 6), MACHINE, energy, SIZE).cost
    classes = by_class(cost, energy)
    assert sum(part.energy_uj for part in classes.values()) == pytest.approx(cost.energy_uj)
    clock_pj = cost.cycles * cost.mac_slots_per_cycle * energy.energy_pj(ARRAY_CLOCK)
    assert classes["clock"].energy_uj == pytest.approx(clock_pj / 1e6)
    assert "clock" not in by_class(cost, ENERGY)


def test_a_class_is_the_sum_of_its_actions() -> None:
    cost = estimate(edsr_graph(1, 6), MACHINE, ENERGY, SIZE).cost
    actions = [action for group in cost.groups for action in group.charges]
    pj = sum(
        group.charges[action] * ENERGY.energy_pj(action)
        for group in cost.groups
        for action in group.charges
        if action.component == "dram"
    )
    assert by_class(cost, ENERGY)["DRAM"].energy_uj == pytest.approx(pj / 1e6)
    assert {class_of(action) for action in actions} <= set(CLASSES.values())


def test_a_whole_group_of_statistics_is_one_class_with_its_traffic() -> None:
    cost = estimate(selector(), MACHINE, ENERGY, SIZE).cost
    classes = by_class(cost, ENERGY)
    assert list(classes) == ["statistics"]
    statistics = classes["statistics"]
    assert statistics.energy_uj == pytest.approx(cost.energy_uj)
    assert (statistics.cycles, statistics.dram_bytes) == (
        cost.cycles,
        cost.dram_read_bytes + cost.dram_write_bytes,
    )


def test_what_has_no_class_goes_under_its_own_name() -> None:
    assert class_of(Action("table_decoder", "read_entry")) == "table decoder"
    assert class_of(Action("table_decoder", "write_entry")) == "table decoder"
    assert class_of(Action("mac_array", "mode_switch")) == "mac array mode switch"


def test_a_graphs_cost_is_that_of_an_estimate() -> None:
    graph = edsr_graph(1, 6)
    (cost,) = image_costs(_alone(graph), SIZE, Estimator(MACHINE, ENERGY)).variants
    expected = estimate(graph, MACHINE, ENERGY, SIZE).cost
    assert (cost.cycles, cost.energy_uj) == (expected.cycles, expected.energy_uj)
    assert cost.dram_bytes == expected.dram_read_bytes + expected.dram_write_bytes
    assert cost.sram_peak_bytes == expected.sram_peak_bytes
    assert sum(layer.macs for layer in cost.layers) == expected.macs
    assert cost.bit_operations == expected.macs * 64


def test_costs_come_back_from_json() -> None:
    costs = image_costs(_adaptive(), SIZE, Estimator(MACHINE, ENERGY))
    record = json.loads(json.dumps(costs.to_record(), allow_nan=False))
    assert ImageCosts.from_record(record) == costs


def test_a_selector_is_added_to_every_variant_and_is_a_class() -> None:
    costs = image_costs(_adaptive(), SIZE, Estimator(MACHINE, ENERGY))
    assert costs.selector is not None
    few, many = costs.variants
    energy = costs.spread(lambda cost: cost.energy_uj)
    added = costs.selector.energy_uj
    assert energy.mean == pytest.approx(0.25 * few.energy_uj + 0.75 * many.energy_uj + added)
    assert (energy.p5, energy.p95) == (few.energy_uj + added, many.energy_uj + added)
    bits = costs.spread(lambda cost: cost.feature_average_bits, selected=False)
    assert (bits.p5, bits.mean, bits.p95) == (4, 7, 8)
    assert [cost.counted_feature_average_bits for cost in costs.variants] == [4, 8]
    assert costs.selector.counted_feature_average_bits is None
    classes = costs.classes()
    assert classes[BIT_SELECTION].energy_uj == added
    assert sum(part.energy_uj for part in classes.values()) == pytest.approx(energy.mean)


@pytest.mark.parametrize(
    ("figures", "weights", "expected"),
    [
        ([7.0], [1.0], Spread(7.0, 7.0, 7.0)),
        ([3.0, 1.0, 2.0], [0.0, 1.0, 1.0], Spread(1.5, 1.0, 2.0)),
        (list(range(1, 101)), [1.0] * 100, Spread(50.5, 5, 95)),
        ([1.0, 2.0], [1.0, 99.0], Spread(1.99, 2.0, 2.0)),
    ],
)
def test_percentiles_are_figures_of_images(
    figures: list[float], weights: list[float], expected: Spread
) -> None:
    assert Spread.of(figures, weights) == expected


def test_a_figure_varies_as_soon_as_one_image_differs() -> None:
    assert Spread.of([1.0, 2.0], [1.0, 99.0]).varies
    assert not Spread.of([1.0, 2.0], [0.0, 5.0]).varies
    assert not Spread.of([0.1, 0.1], [0.1, 0.2]).varies  # 0.1·0.1 + 0.1·0.2 is not 0.1·0.3


def _alone(graph: Graph) -> Alternatives:
    return Alternatives.of(graph, lambda graph: graph)


def _adaptive() -> Alternatives:
    return Alternatives.of(by_brightness(), lambda graph: graph)
