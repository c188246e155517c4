"""What a policy uses up, and the units each resource is counted and shown in."""

from dataclasses import dataclass
from enum import Enum

FEMTOJOULES_PER_MICROJOULE = 1_000_000_000


class Resource(Enum):
    """A cost of one image, kept as an integer: femtojoules, cycles, bytes."""

    ENERGY = "energy"
    LATENCY = "latency"
    DRAM = "dram"
    SRAM = "sram"


@dataclass(frozen=True, slots=True)
class Shown:
    """How a resource is shown.

    Attributes:
        key: its name in JSON, with the unit.
        per_unit: how many of what is counted make one of what is shown.
        unit: the unit in messages.
        axis: the words at an axis of a chart.
    """

    key: str
    per_unit: int
    unit: str
    axis: str

    def words(self, amount: int) -> str:
        """An amount as people read it."""
        if self.per_unit == 1:
            return f"{amount} {self.unit}"
        return f"{amount / self.per_unit:.6g} {self.unit}"


SHOWN = {
    Resource.ENERGY: Shown(
        "energy_uj", FEMTOJOULES_PER_MICROJOULE, "uJ", "energy of one image [µJ]"
    ),
    Resource.LATENCY: Shown("cycles", 1, "cycles", "cycles of one image"),
    Resource.DRAM: Shown("dram_bytes", 1, "bytes over DRAM", "DRAM traffic of one image [bytes]"),
    Resource.SRAM: Shown("sram_bytes", 1, "bytes of SRAM", "most SRAM in use [bytes]"),
}
