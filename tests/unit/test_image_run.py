"""Pictures on the machine, whole and in patches, with bits that the image decides."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from accelerators import Accelerator, EnergyModel
from hwsim.adaptive import (
    DECISION,
    FRONT_END,
    chosen_graph,
    constants_in_memory,
    estimate_adaptive,
)
from hwsim.image_run import compare_image, run_image
from hwsim.machine import KERNELS, REFERENCE, run_layerwise
from hwsim.report.image_run import result_from_adaptive_estimate, result_from_run
from hwsim.simulation import simulate
from quant.graph import Size
from quant.graph.bits import feature_average_bits
from quant.methods.adabm.complexity import complexity
from tests.adaptive_graphs import adaptive_graph
from tests.machines import machine, prices

ADAPTIVE = adaptive_graph()


@pytest.fixture(scope="module")
def small() -> tuple[Accelerator, EnergyModel]:
    accelerator = machine(sram_kib=16, array=8)
    return accelerator, prices(accelerator)


def image(contrast: int, height: int = 12, width: int = 10) -> NDArray[np.int32]:
    noise = np.random.default_rng(0).integers(0, contrast, (height, width, 3))
    return (noise + 100).astype(np.int32)


FLAT, MIDDLE, ROUGH = image(8), image(40), image(150)


def test_the_three_pictures_are_of_the_three_kinds() -> None:
    assert complexity(FLAT) < 8 < complexity(MIDDLE) < 30 < complexity(ROUGH)


@pytest.mark.parametrize(("picture", "offset"), [(FLAT, -1), (MIDDLE, 0), (ROUGH, 1)])
def test_an_image_runs_the_variant_it_chooses_bit_for_bit(
    small: tuple[Accelerator, EnergyModel], picture: NDArray[np.int32], offset: int
) -> None:
    run = run_image(ADAPTIVE, *small, picture)
    (part,) = run.parts
    assert part.selection is not None
    assert part.selection.offset == offset
    assert part.graph is ADAPTIVE.variants[1 + offset]
    assert part.selection.complexity == pytest.approx(complexity(picture), abs=0.004)
    assert (run.output == run_layerwise(part.graph, picture, REFERENCE)).all()
    for arithmetic in (REFERENCE, KERNELS):
        compared = compare_image(run, ADAPTIVE, picture, arithmetic)
        assert (compared.mismatches, compared.values) == (0, run.output.size)


def test_the_reference_chooses_for_itself(small: tuple[Accelerator, EnergyModel]) -> None:
    run = run_image(ADAPTIVE, *small, ROUGH)
    other = adaptive_graph(lower=1e6, upper=2e6)
    assert compare_image(run, other, ROUGH, KERNELS).mismatches > 0


def test_costs_are_those_of_front_end_decision_and_variant(
    small: tuple[Accelerator, EnergyModel],
) -> None:
    accelerator, energy = small
    run = run_image(ADAPTIVE, *small, ROUGH)
    parts = [
        simulate(graph, accelerator, energy, ROUGH).cost
        for graph in (ADAPTIVE.selector, ADAPTIVE.variants[2])
    ]
    (decision,) = [g for g in run.cost.groups if g.group.name == FRONT_END + DECISION]
    # Four sums of five bytes are one burst of 32 bytes, and the latency of reading it.
    assert decision.dram_read_bytes == 32
    assert decision.dram_write_bytes == 0
    bus = 32 / (accelerator.dram.bandwidth_gb_per_s * 1e3 / accelerator.clock_mhz)
    assert decision.cycles == bus + accelerator.dram.latency_cycles
    assert run.cost.cycles == sum(part.cycles for part in parts) + decision.cycles
    assert run.cost.macs == sum(part.macs for part in parts)
    total = sum(part.energy_uj for part in parts) + decision.energy_uj
    assert run.cost.energy_uj == pytest.approx(total)
    names = [group.group.name for group in run.cost.groups]
    # The sums are made as the derivatives are: one group.
    assert names[:2] == ["front_end/derivatives", "front_end/decision"]


def test_patches_have_bits_of_their_own_and_their_costs_add_up(
    small: tuple[Accelerator, EnergyModel],
) -> None:
    whole = np.concatenate([image(8, 16, 8), image(150, 16, 11)], axis=1)
    run = run_image(ADAPTIVE, *small, whole, patch=8)
    offsets = [part.selection.offset for part in run.parts if part.selection is not None]
    # 19 columns are a patch of 8 and one of 11; 16 rows are two of 8.
    assert offsets == [-1, 1, -1, 1]
    assert [part.place[1].stop - part.place[1].start for part in run.parts] == [8, 11, 8, 11]
    for part in run.parts:
        rows, columns = part.place
        expected = run_layerwise(part.graph, whole[part.place].copy(), REFERENCE)
        found = run.output[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop]
        assert (found == expected).all()
    assert run.cost.cycles == sum(part.cost.cycles for part in run.parts)
    assert run.cost.energy_uj == pytest.approx(sum(part.cost.energy_uj for part in run.parts))
    assert compare_image(run, ADAPTIVE, whole, KERNELS).mismatches == 0
    result = result_from_run(ADAPTIVE, run, small[1])
    assert result.adaptive is not None
    assert result.adaptive.patches is not None
    assert [patch.image_bits for patch in result.adaptive.patches] == offsets
    assert result.adaptive.counted_feature_average_bits == (4 + 6 + 4 + 6) / 4
    assert result.input_size == (16, 19)
    assert result.output_size == (32, 38)
    assert result.cycles == sum(layer.cycles for layer in result.layers)


def test_a_difference_in_a_patch_is_found_where_it_is(
    small: tuple[Accelerator, EnergyModel],
) -> None:
    whole = image(150, 16, 16)
    run = run_image(ADAPTIVE, *small, whole, patch=8)
    wrong = run.output.copy()
    wrong[20, 17, 1] ^= 1
    compared = compare_image(replace(run, output=wrong), ADAPTIVE, whole, KERNELS)
    assert (compared.mismatches, compared.first) == (1, (20, 17, 1))


def test_a_graph_of_fixed_bits_runs_in_patches_too(
    small: tuple[Accelerator, EnergyModel],
) -> None:
    graph = ADAPTIVE.variants[1]
    run = run_image(graph, *small, ROUGH, patch=6)
    assert len(run.parts) == 2
    assert compare_image(run, graph, ROUGH, KERNELS).mismatches == 0
    assert result_from_run(graph, run, small[1]).adaptive is None


def test_an_estimate_is_the_mean_over_the_choices_of_the_calibration(
    small: tuple[Accelerator, EnergyModel],
) -> None:
    size = Size(*ROUGH.shape[:2])
    estimated = estimate_adaptive(ADAPTIVE, *small, size)
    for place, picture in enumerate((FLAT, MIDDLE, ROUGH)):
        run = run_image(ADAPTIVE, *small, picture)
        assert estimated.cost(place).cycles == run.cost.cycles
        assert estimated.cost(place).energy_uj == pytest.approx(run.cost.energy_uj)
    result = result_from_adaptive_estimate(ADAPTIVE, estimated, size, small[1])
    assert result.adaptive is not None
    parts = result.adaptive.variants
    assert [part.share for part in parts] == [0.25, 0.5, 0.25]
    assert result.energy_uj == pytest.approx(
        sum(part.share * part.energy_uj for part in parts if part.energy_uj is not None)
    )
    mean_cycles = sum(part.share * part.cycles for part in parts if part.cycles is not None)
    assert abs(result.cycles - mean_cycles) <= len(result.layers) / 2
    assert result.adaptive.counted_feature_average_bits == 5
    energies = [part.energy_uj for part in parts]
    assert energies == sorted(energies, key=float)
    assert energies[0] != energies[2]
    assert result.adaptive.patches is None
    assert result.psnr_db is None


def test_variants_store_their_weights_once_and_their_requantization_each() -> None:
    weights = {constants_in_memory(graph)[0] for graph in ADAPTIVE.variants}
    assert len(weights) == 1
    # A record of bias, multiplier and shift is 10 bytes for each of 4 + 4 + 4 + 4 + 16 + 3 outputs.
    assert constants_in_memory(ADAPTIVE.variants[0])[1] == 10 * 35


def test_the_graph_of_an_image_is_found_layer_by_layer_as_well() -> None:
    assert chosen_graph(ADAPTIVE, ROUGH, REFERENCE) is ADAPTIVE.variants[2]
    assert feature_average_bits(chosen_graph(ADAPTIVE, FLAT, KERNELS)) == 4
