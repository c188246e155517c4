"""How much hardware a machine is: what it would be made smaller in."""

from dataclasses import dataclass

from accelerators.catalog import load_datapath_factors
from accelerators.energy import EnergyModel


@dataclass(frozen=True, slots=True)
class MachineSize:
    """The sizes of a machine.

    Attributes:
        processing_elements: in the array.
        multipliers: in the array; one by one bit wide where operands are serial.
        sram_kib: capacity of the SRAM.
        dram_gb_per_s: peak transfer rate of the DRAM, in 10^9 bytes per second.
        array_ge: area of the array's multiply-accumulate units at their native widths, with the
            accumulators they were synthesized with, in gate equivalents; None where the energy
            table's study synthesized no such unit.
    """

    processing_elements: int
    multipliers: int
    sram_kib: int
    dram_gb_per_s: float
    array_ge: float | None

    @classmethod
    def of(cls, energy: EnergyModel) -> "MachineSize":
        """The sizes of the machine that is priced."""
        machine = energy.accelerator
        return cls(
            machine.array.processing_elements,
            machine.array.multipliers,
            machine.sram.size_kib,
            machine.dram.bandwidth_gb_per_s,
            _array_ge(energy),
        )


def _array_ge(energy: EnergyModel) -> float | None:
    array, study = energy.accelerator.array, energy.table.datapath_factors
    if study is None:
        return None
    if array.dataflow == "output_stationary" and array.lanes > 1:
        return None  # lanes share an accumulator, the unit that was synthesized has its own
    factors = load_datapath_factors(study)
    if not factors.has_area(array.dataflow):
        return None
    unit_ge = factors.area_ge(array.dataflow, array.weight_bits, array.activation_bits)
    return unit_ge * array.multipliers
