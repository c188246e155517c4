"""The recommended machine is the one the study chose, and better at what it was chosen for."""

from pathlib import Path

import pytest

from accelerators import Accelerator, EnergyModel, load_accelerator, load_energy_table
from benchmarks.edge_sr_npu import CANDIDATES, CHOSEN, Candidate, Figures, arrays
from hwsim.simulation import estimate
from quant.graph import Size
from tests.edsr_graphs import Bits, edsr_graph

MACHINE = load_accelerator("edge_sr_npu")
PAGE = Path(__file__).parents[3] / "docs" / "results" / "edge_sr_npu.md"
BUDGET_GE = 1024 * CANDIDATES[0].element_ge


def test_it_is_the_machine_of_the_study() -> None:
    chosen = CHOSEN.machine(MACHINE.sram.size_kib, MACHINE.vector_unit.lanes)
    told = {"name", "description", "source", "energy_table"}
    assert MACHINE.model_dump(exclude=told) == chosen.model_dump(exclude=told)


def test_the_page_has_the_sizes_and_areas_that_are_computed() -> None:
    assert "\n".join(arrays()) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
def test_arrays_that_were_compared_have_about_one_area(candidate: Candidate) -> None:
    array = candidate.machine().array
    area_ge = array.processing_elements * candidate.element_ge
    assert 0.9 * BUDGET_GE < area_ge <= BUDGET_GE


def test_the_area_of_a_unit_grows_with_its_accumulator() -> None:
    # (166 + 12.4 x 16 + 10.6 x 64) + 15 x (32 - 28); the serial unit as it was synthesized
    assert CANDIDATES[0].element_ge == pytest.approx(1042.8 + 60)
    assert CHOSEN.element_ge == pytest.approx(2744)


@pytest.mark.parametrize("table", ["synth45", "horowitz45"])
def test_it_is_better_at_four_bits_and_slower_at_eight(table: str) -> None:
    def on(machine: Accelerator, bits: Bits) -> Figures:
        energy = EnergyModel(machine, load_energy_table(table))
        return Figures.of(estimate(edsr_graph(2, 32, 2, bits), machine, energy, Size(60, 80)).cost)

    rival = CANDIDATES[0].machine()
    narrow, narrow_rival = on(MACHINE, (4, 4)), on(rival, (4, 4))
    assert narrow.ms < narrow_rival.ms
    assert narrow.mj < narrow_rival.mj
    assert narrow.product == narrow.ms * narrow.mj
    assert on(MACHINE, (8, 8)).ms > on(rival, (8, 8)).ms
