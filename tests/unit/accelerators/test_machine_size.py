"""How much hardware a machine is."""

import pytest

from accelerators import EnergyModel, MachineSize, area_of, load_accelerator, load_energy_table


def energy_of(name: str) -> EnergyModel:
    machine = load_accelerator(name)
    return EnergyModel(machine, load_energy_table(machine.energy_table))


def test_sizes_are_those_of_the_file() -> None:
    size = MachineSize.of(energy_of("edge_npu"))

    assert (size.processing_elements, size.multipliers) == (1024, 1024)
    assert (size.sram_kib, size.dram_gb_per_s) == (512, 12.8)


@pytest.mark.parametrize("normalizes_at_run_time", [False, True])
def test_areas_are_those_of_the_area_model(normalizes_at_run_time: bool) -> None:
    energy = energy_of("edge_npu")
    area = area_of(energy.accelerator, energy.table, normalizes_at_run_time)
    size = MachineSize.of(energy, normalizes_at_run_time)

    # 166 + 12.4 x 16 + 10.6 x 64 gates a unit, and 12 bits of accumulator more than it had
    assert size.array_ge == pytest.approx(1024 * (1042.8 + 12 * 15))
    assert (size.gate_equivalents, size.area_mm2) == (area.gate_equivalents, area.area_mm2)


def test_what_is_not_known_is_none() -> None:
    energy = energy_of("edge_npu")
    energy.table = energy.table.model_copy(update={"datapath_factors": None})
    size = MachineSize.of(energy)

    assert (size.array_ge, size.gate_equivalents, size.area_mm2) == (None, None, None)
