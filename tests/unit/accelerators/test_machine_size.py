"""How much hardware a machine is."""

import pytest

from accelerators import EnergyModel, MachineSize, load_accelerator, load_energy_table


def size_of(name: str) -> MachineSize:
    machine = load_accelerator(name)
    return MachineSize.of(EnergyModel(machine, load_energy_table(machine.energy_table)))


def test_sizes_are_those_of_the_file() -> None:
    size = size_of("edge_npu")

    assert (size.processing_elements, size.multipliers) == (1024, 1024)
    assert (size.sram_kib, size.dram_gb_per_s) == (512, 12.8)


def test_the_area_is_that_of_the_synthesized_units() -> None:
    # 166 + 12.4 x 16 + 10.6 x 64 gates a unit; 2744 for 16 activation-serial lanes
    assert size_of("edge_npu").array_ge == pytest.approx(1024 * 1042.8)
    assert size_of("edge_sr_npu").array_ge == pytest.approx(24 * 16 * 2744)


@pytest.mark.parametrize("name", ["edge_tpu", "loom", "ethos_u55_256"])
def test_units_that_were_not_synthesized_have_no_area(name: str) -> None:
    assert size_of(name).array_ge is None
