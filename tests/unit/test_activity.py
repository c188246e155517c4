"""Energy of an image's own data, layer by layer."""

from dataclasses import replace

import numpy as np
import pytest

from accelerators import Accelerator, EnergyModel, load_accelerator, load_energy_table, resized
from accelerators.activity import HELD_TOGGLES
from hwsim.activity import measure_switching, merged
from hwsim.image_run import run_image
from hwsim.report.activity import activity_of, activity_sentence, measured_activity
from hwsim.simulation import estimate
from quant.common.errors import UserError
from quant.graph import Size
from tests.adaptive_graphs import adaptive_graph
from tests.edsr_graphs import edsr_graph

TINY = load_accelerator("tiny_npu")
GRAPH = edsr_graph(1, 8, 2, (4, 8))
SIZE = Size(16, 20)


def machine(**array: object) -> Accelerator:
    data = TINY.model_dump()
    data["array"].update(array)
    return Accelerator.model_validate(data)


def energy(accelerator: Accelerator = TINY, table: str = "synth45") -> EnergyModel:
    return EnergyModel(accelerator, load_energy_table(table))


def picture(noise: bool) -> np.ndarray:
    if not noise:
        return np.full((SIZE.height, SIZE.width, 3), 128, np.int32)
    random = np.random.default_rng(1)
    return random.integers(0, 256, (SIZE.height, SIZE.width, 3)).astype(np.int32)


def image_uj(accelerator: Accelerator, noise: bool, table: str = "synth45") -> float:
    model = energy(accelerator, table)
    cost = estimate(GRAPH, accelerator, model, SIZE).cost
    return activity_of(
        cost, measure_switching(GRAPH, accelerator, picture(noise)), model
    ).image_energy_uj


def test_a_flat_picture_takes_less_than_noise_and_that_no_more_than_random_data() -> None:
    uniform_uj = estimate(GRAPH, TINY, energy(), SIZE).cost.energy_uj
    assert image_uj(TINY, noise=False) < image_uj(TINY, noise=True) < uniform_uj * 1.02


def test_layers_add_up_to_what_the_image_saves() -> None:
    run = run_image(GRAPH, TINY, energy(), picture(noise=True), None)
    activity = measured_activity(run, picture(noise=True), energy())
    saved_uj = sum(layer.uniform_energy_uj - layer.image_energy_uj for layer in activity.layers)
    assert activity.uniform_energy_uj == run.cost.energy_uj
    assert activity.uniform_energy_uj - activity.image_energy_uj == pytest.approx(saved_uj)
    assert activity.measured_macs == run.cost.macs
    assert [layer.name for layer in activity.layers] == [
        group.group.name for group in run.cost.groups if group.group.macs
    ]
    for layer in activity.layers:
        assert layer.image_energy_uj > 0
        assert 0 <= layer.activation_hamming_bits <= 8
        assert 0 < layer.activation_nonzero_rate <= 1
    assert activity_sentence(activity).startswith(f"{activity.image_energy_uj:,.1f} µJ with the")


def test_patches_are_measured_together() -> None:
    image = picture(noise=True)
    whole = measure_switching(GRAPH, TINY, image)
    twice = merged([whole, whole])
    assert twice.keys() == whole.keys()
    for name, switching in whole.items():
        assert twice[name].activations.toggles == 2 * switching.activations.toggles
        assert twice[name].activations.hamming == switching.activations.hamming
    run = run_image(GRAPH, TINY, energy(), image, 10)
    activity = measured_activity(run, image, energy())
    assert len(run.parts) > 1
    assert activity.measured_macs == run.cost.macs


def test_gated_zeros_save_energy() -> None:
    gating = machine(zero_gating=True)
    run = run_image(GRAPH, gating, energy(gating), picture(noise=True), None)
    activity = measured_activity(run, picture(noise=True), energy(gating))
    assert activity.image_energy_uj < image_uj(TINY, noise=True)
    assert any(layer.active_share < 1 for layer in activity.layers)
    for layer in activity.layers:
        assert layer.active_share == layer.activation_nonzero_rate
    # what random data cost does not change
    assert activity.uniform_energy_uj == estimate(GRAPH, TINY, energy(), SIZE).cost.energy_uj


@pytest.mark.parametrize("dataflow", ["bit_serial", "composable"])
def test_other_datapaths_are_refused(dataflow: str) -> None:
    array = TINY.array.model_copy(update={"dataflow": dataflow})
    other = TINY.model_copy(update={"array": array})
    with pytest.raises(UserError, match=r"toggle model covers output_stationary, weight_stat"):
        measure_switching(GRAPH, other, picture(noise=True))


def test_a_held_weight_counts_once() -> None:
    array = TINY.array.model_copy(update={"dataflow": "weight_stationary"})
    held = TINY.model_copy(update={"array": array})
    switching = measure_switching(GRAPH, held, picture(noise=True))
    assert all(layer.weights.toggles == 0 for layer in switching.values())
    cost = estimate(GRAPH, TINY, energy(), SIZE).cost
    ratios = {
        table: [
            layer.toggle_ratio for layer in activity_of(cost, switching, energy(held, table)).layers
        ]
        for table in ("synth45", "horowitz45")
    }
    # Horowitz's figures do not know that a weight is held, the synthesis study's do
    assert ratios["horowitz45"] == pytest.approx(
        [HELD_TOGGLES * ratio for ratio in ratios["synth45"]]
    )


def test_patches_that_choose_different_graphs_are_priced_each_by_its_own() -> None:
    adaptive, accelerator = adaptive_graph(), resized(load_accelerator("edge_npu"), sram_kib=16)
    model = EnergyModel(accelerator, load_energy_table("horowitz45"))
    noise = np.random.default_rng(0)
    flat, rough = noise.integers(100, 108, (12, 12, 3)), noise.integers(50, 250, (12, 12, 3))
    image = np.concatenate([flat, rough]).astype(np.int32)
    run = run_image(adaptive, accelerator, model, image, 12)
    assert len({id(part.graph) for part in run.parts}) == 2
    activity = measured_activity(run, image, model)
    assert activity.uniform_energy_uj == pytest.approx(run.cost.energy_uj)
    assert activity.image_energy_uj < activity.uniform_energy_uj
    front_end = sum(g.group.macs for g in run.cost.groups if g.group.name.startswith("front_end/"))
    assert activity.measured_macs == run.cost.macs - front_end
    assert not any(layer.name.startswith("front_end/") for layer in activity.layers)
    each = [measured_activity(replace(run, parts=(part,)), image, model) for part in run.parts]
    assert activity.image_energy_uj == pytest.approx(sum(part.image_energy_uj for part in each))
    for layer, *parts in zip(activity.layers, *(part.layers for part in each), strict=True):
        ratios = [part.toggle_ratio for part in parts]
        assert min(ratios) <= layer.toggle_ratio <= max(ratios)
