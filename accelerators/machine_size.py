"""How much hardware a machine is: what it would be made smaller in."""

from dataclasses import dataclass

from accelerators.area import area_of
from accelerators.energy import EnergyModel


@dataclass(frozen=True, slots=True)
class MachineSize:
    """The sizes of a machine.

    Attributes:
        processing_elements: in the array.
        multipliers: in the array; one by one bit wide where operands are serial.
        sram_kib: capacity of the SRAM.
        dram_gb_per_s: peak transfer rate of the DRAM, in 10^9 bytes per second.
        array_ge: area of the array's processing elements, in gate equivalents; None where the
            energy table's study has none of that kind.
        gate_equivalents: of all logic; None where a part's are not known.
        area_mm2: of logic and memories, in square millimetres at the machine's node; None where a
            part's is not known. `accelerators.area` has the parts.
    """

    processing_elements: int
    multipliers: int
    sram_kib: int
    dram_gb_per_s: float
    array_ge: float | None
    gate_equivalents: float | None
    area_mm2: float | None

    @classmethod
    def of(cls, energy: EnergyModel, normalizes_at_run_time: bool = False) -> "MachineSize":
        """The sizes of the machine that is priced.

        Args:
            energy: the machine and its energy table.
            normalizes_at_run_time: as of `accelerators.area.area_of`.
        """
        machine = energy.accelerator
        area = area_of(machine, energy.table, normalizes_at_run_time)
        elements = next(part for part in area.logic if part.component == "mac_array")
        return cls(
            machine.array.processing_elements,
            machine.array.multipliers,
            machine.sram.size_kib,
            machine.dram.bandwidth_gb_per_s,
            elements.gate_equivalents,
            area.gate_equivalents,
            area.area_mm2,
        )
