"""How large a machine is: gate equivalents and square millimetres, by component.

Logic is counted in gate equivalents, areas of a two-input NAND, from the synthesis study that the
energy table names, and brought to the machine's node; SRAM macros are those of the energy table's
SRAM table. docs/area-model.md states every rule, its source, and how far published chips are off.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from accelerators.catalog import energy_table_at, load_sram_table
from accelerators.component_areas import LOGIC, NORMALIZATION, Rule, study_of
from accelerators.datapaths.kinds import datapath_of
from accelerators.energy_tables import EnergyTable, SramTable
from accelerators.schema import Accelerator
from accelerators.technology_scaling import logic_area_ratio, sram_area_ratio
from quant.common.errors import UserError

SQUARE_MICROMETRES_PER_SQUARE_MILLIMETRE = 1e6

AREA_NOT_MODELLED = (
    "wires, and the room that placement leaves: areas are those of cells and macros side by side",
    "control: sequencers, address generators, DMA engines, registers for commands",
    "the interface to the DRAM, pads, and networks between SRAM banks, array and vector unit",
    "the clock tree, clock gates, test structures, and what a clock rate asks for: units were "
    "synthesized without a clock to meet",
    "registers that hold scales, biases, decode tables and thresholds of channels, and the "
    "multiplexers behind them",
    "what cuts operands into slices and digits at the array's edges, decoders of shift-and-add "
    "arrays, and tables that weight-serial arrays fill with sums of activations",
)
"""What no area here covers; reports print it beside every total."""


@dataclass(frozen=True, slots=True)
class ComponentArea:
    """A part of a machine.

    Attributes:
        component: its name; where energy is charged to it too, the same.
        gate_equivalents: of its logic; None of memories, and where it is not known.
        area_mm2: its area; None where it is not known.
        rule: what it is made of, or why its area is not known, in a sentence.
        source: where the figures come from; empty where there are none.
    """

    component: str
    gate_equivalents: float | None
    area_mm2: float | None
    rule: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """A machine's area.

    Attributes:
        technology_nm: node of the machine.
        logic: components made of gates.
        memories: components made of SRAM macros.
    """

    technology_nm: int
    logic: tuple[ComponentArea, ...]
    memories: tuple[ComponentArea, ...]

    @property
    def components(self) -> tuple[ComponentArea, ...]:
        """All of them."""
        return self.logic + self.memories

    @property
    def gate_equivalents(self) -> float | None:
        """Of all logic; None where a component's are not known."""
        return _sum([part.gate_equivalents for part in self.logic])

    @property
    def area_mm2(self) -> float | None:
        """Of all components; None where one's is not known."""
        return _sum([part.area_mm2 for part in self.components])

    @property
    def by_component_mm2(self) -> Mapping[str, float | None]:
        """The area of each component."""
        return {part.component: part.area_mm2 for part in self.components}

    @property
    def missing(self) -> tuple[str, ...]:
        """Why components have no area, a sentence each."""
        return tuple(part.rule for part in self.components if part.area_mm2 is None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What each component is made of and where its figures come from, a sentence each."""
        return tuple(
            f"area of {part.component}: {part.rule}" + (f" ({part.source})" if part.source else "")
            for part in self.components
        )


def area_of(
    accelerator: Accelerator, table: EnergyTable, normalizes_at_run_time: bool = False
) -> Area:
    """The area of a machine, at its own node.

    A component whose figures are missing is there without them and says why.

    Args:
        accelerator: the machine.
        table: the energy table; its synthesis study and its SRAM table have the areas.
        normalizes_at_run_time: whether what only networks need whose channels are normalized at run
            time is part of the machine: channel scaler, wide accumulators, statistics.

    Raises:
        UserError: the table is for another node and the machine asks for no scaling, or the
            machine's memories are outside the SRAM table.
    """
    table = energy_table_at(accelerator, table)
    rules = {**LOGIC, **(NORMALIZATION if normalizes_at_run_time else {})}
    sram_table = load_sram_table(table.sram_table)
    return Area(
        accelerator.technology_nm,
        tuple(_logic(component, rule, accelerator, table) for component, rule in rules.items()),
        tuple(_memories(accelerator, sram_table)),
    )


def _logic(
    component: str, rule: Rule, accelerator: Accelerator, table: EnergyTable
) -> ComponentArea:
    try:
        study = study_of(accelerator, table)
        made_of = rule(study)
    except UserError as error:
        return ComponentArea(component, None, None, str(error))
    cells = study.parts.cells
    try:
        ratio = logic_area_ratio(cells.technology_nm, accelerator.technology_nm)
    except UserError as error:
        return ComponentArea(component, made_of.gate_equivalents, None, str(error))
    um2 = made_of.gate_equivalents * cells.nand2_um2 * ratio
    return ComponentArea(
        component,
        made_of.gate_equivalents,
        um2 / SQUARE_MICROMETRES_PER_SQUARE_MILLIMETRE,
        made_of.rule,
        f"'{study.factors.name}': {made_of.source}",
    )


def _memories(accelerator: Accelerator, table: SramTable) -> list[ComponentArea]:
    """SRAM, and the memories behind columns that keep partial sums."""
    array, sram = accelerator.array, accelerator.sram
    memories = [
        _memory("sram", accelerator, table, sram.banks, sram.bank_kib, sram.word_bits),
    ]
    if datapath_of(array).keeps_partial_sums:
        size_kib = array.accumulator_entries * array.accumulator_bits / 8 / 1024
        word_bits = table.widths_bits[0]
        memories.append(
            _memory("accumulators", accelerator, table, array.columns, size_kib, word_bits)
        )
    return memories


def _memory(
    component: str,
    accelerator: Accelerator,
    table: SramTable,
    macros: int,
    size_kib: float,
    word_bits: float,
) -> ComponentArea:
    um2 = table.macro(size_kib, word_bits).area_um2
    if um2 is None:
        missing = f"SRAM table '{table.name}' has no areas; add area_um2 to its rows"
        return ComponentArea(component, None, None, missing)
    um2 *= macros * sram_area_ratio(table.technology_nm, accelerator.technology_nm)
    return ComponentArea(
        component,
        None,
        um2 / SQUARE_MICROMETRES_PER_SQUARE_MILLIMETRE,
        f"{macros} macros of {size_kib:g} KiB with words of {word_bits:g} bits",
        f"'{table.name}': {table.source}",
    )


def _sum(figures: list[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None
