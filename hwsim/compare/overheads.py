"""Where energy goes, in the classes in which quantization methods differ.

The account of cost holds components and actions; the tables here say which class each belongs to.
What they do not name is a class under its own name, so that nothing is hidden: a component they
do not know as a whole, an action they do not know of a component they do.
"""

from dataclasses import dataclass

from accelerators import Action, EnergyModel
from hwsim.cost import GroupCost, ProgramCost
from hwsim.cost.account import PICOJOULES_PER_MICROJOULE

BIT_SELECTION = "bit selection"
"""Class of everything a selector graph costs."""

CLASSES: dict[tuple[str, str], str] = {
    ("mac_array", "mac"): "multiplication",
    ("requantizer", "output"): "requantization",
    ("vector_unit", "requantize"): "requantization",
    ("vector_unit", "add"): "elementwise",
    ("vector_unit", "multiply"): "elementwise",
    ("vector_unit", "accumulate"): "statistics",
    ("sram", "read_word"): "SRAM",
    ("sram", "write_word"): "SRAM",
    ("dram", "read_bit"): "DRAM",
    ("dram", "write_bit"): "DRAM",
    ("dram", "activate"): "DRAM",
    ("dram", "standby"): "DRAM",
    ("mac_array", "clock"): "clock",
    ("mac_array", "leakage"): "leakage",
    ("sram", "leakage"): "leakage",
}
"""The class of each (component, action) of the account."""

_COMPONENTS = frozenset(component for component, _ in CLASSES)

GROUP_CLASSES: dict[str, str] = {"statistics": "statistics"}
"""The class of a whole group of operators, its memory traffic and cycles included, by the kind of
its first operator: work that a method alone is the reason for."""


@dataclass(frozen=True, slots=True)
class ClassCost:
    """What one class costs in one image.

    Attributes:
        energy_uj: energy, in microjoules.
        cycles: of groups that belong to the class as a whole; what the class takes inside other
            groups overlaps with their work and is not counted.
        dram_bytes: of such groups, over the bus.
    """

    energy_uj: float = 0.0
    cycles: int = 0
    dram_bytes: int = 0

    def __add__(self, other: "ClassCost") -> "ClassCost":
        return ClassCost(
            self.energy_uj + other.energy_uj,
            self.cycles + other.cycles,
            self.dram_bytes + other.dram_bytes,
        )


def class_of(action: Action) -> str:
    """The class of an action; where the tables have none, its component's or its own name."""
    key = action.component, action.name
    if key in CLASSES:
        return CLASSES[key]
    words = key if key[0] in _COMPONENTS else key[:1]
    return " ".join(words).replace("_", " ")


def by_class(cost: ProgramCost, energy: EnergyModel) -> dict[str, ClassCost]:
    """The cost of a program, split; the energies add up to the program's.

    Args:
        cost: of a program.
        energy: the prices it was charged at.
    """
    total: dict[str, ClassCost] = {}
    for group in cost.groups:
        for name, part in _of_group(group, energy).items():
            total[name] = total.get(name, ClassCost()) + part
    return total


def _of_group(group: GroupCost, energy: EnergyModel) -> dict[str, ClassCost]:
    whole = GROUP_CLASSES.get(group.group.kinds[0])
    if whole is not None:
        return {whole: ClassCost(group.energy_uj, group.cycles, group.dram_bytes)}
    parts: dict[str, ClassCost] = {}
    for action, count in group.charges.items():
        if (action.component, action.name) in energy.unpriced:
            continue
        energy_uj = count * energy.energy_pj(action) / PICOJOULES_PER_MICROJOULE
        name = class_of(action)
        parts[name] = parts.get(name, ClassCost()) + ClassCost(energy_uj)
    return parts
