"""How large a machine is: gate equivalents and square millimetres, by component.

Logic is counted in gate equivalents, areas of a two-input NAND, from the synthesis study that the
energy table names, and brought to the machine's node; SRAM macros are those of the energy table's
SRAM table. docs/area-model.md states every rule, its source, and how far published chips are off.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from accelerators.actions import MULTIPLIER_BITS
from accelerators.catalog import energy_table_at, load_datapath_factors, load_sram_table
from accelerators.datapath_areas import PartAreas
from accelerators.datapath_factors import DatapathFactors
from accelerators.datapaths.channel_scaling import PARTIAL_SUM_BITS, REACH_BITS
from accelerators.datapaths.interface import Datapath
from accelerators.datapaths.kinds import datapath_of
from accelerators.energy_tables import EnergyTable, SramTable
from accelerators.schema import Accelerator
from accelerators.technology_scaling import logic_area_ratio, sram_area_ratio
from accelerators.vector_unit import ACCUMULATOR_BITS, LANE_BITS, SUMMARY_ACCUMULATORS
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
    rules = {**_LOGIC, **(_NORMALIZATION if normalizes_at_run_time else {})}
    sram_table = load_sram_table(table.sram_table)
    return Area(
        accelerator.technology_nm,
        tuple(_logic(component, rule, accelerator, table) for component, rule in rules.items()),
        tuple(_memories(accelerator, sram_table)),
    )


@dataclass(frozen=True, slots=True)
class _Logic:
    """Gate equivalents of a component, what it is made of, and their source."""

    gate_equivalents: float
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class _Study:
    """A machine and the study its logic is put together from."""

    accelerator: Accelerator
    factors: DatapathFactors
    parts: PartAreas

    @property
    def datapath(self) -> Datapath:
        return datapath_of(self.accelerator.array)


_Rule = Callable[[_Study], _Logic]


def _logic(
    component: str, rule: _Rule, accelerator: Accelerator, table: EnergyTable
) -> ComponentArea:
    try:
        study = _study(accelerator, table)
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


def _study(accelerator: Accelerator, table: EnergyTable) -> _Study:
    """Raises UserError: the table's study has no areas."""
    if table.datapath_factors is None:
        raise UserError(
            f"energy table '{table.name}' names no synthesis study with areas; add "
            "'datapath_factors: …' to it or choose another table"
        )
    factors = load_datapath_factors(table.datapath_factors)
    if factors.parts is None:
        raise UserError(
            f"datapath factors '{factors.name}' have no areas of cells and parts; add 'parts: …' "
            "to them or name others in the energy table's datapath_factors"
        )
    return _Study(accelerator, factors, factors.parts)


def _mac_array(study: _Study) -> _Logic:
    array, widths = study.accelerator.array, study.datapath.unit_widths
    unit = study.factors.area_of(array.dataflow)
    element_ge = study.parts.element_ge(unit, *widths, array.lanes, array.accumulator_bits)
    lanes = "" if array.lanes == 1 else f" of {array.lanes} lanes"
    accumulators = (
        "accumulators as synthesized"
        if unit.accumulator_bits is None
        else f"accumulators of {array.accumulator_bits} bits"
    )
    return _Logic(
        array.processing_elements * element_ge,
        f"{array.processing_elements} {array.dataflow} elements{lanes} for weights of "
        f"{array.weight_bits} and activations of {array.activation_bits} bits, {accumulators}: "
        f"{element_ge:,.1f} gate equivalents each",
        unit.source,
    )


def _array_registers(study: _Study) -> _Logic:
    drain, skew = study.datapath.drain_bits, study.datapath.skew_bits
    return _Logic(
        (drain + skew) * study.parts.flip_flop_ge,
        f"{drain} flip-flops in which outputs leave, {skew} that skew operands at the edges",
        study.parts.cells.source,
    )


def _requantizer(study: _Study) -> _Logic:
    array = study.accelerator.array
    each_ge = study.parts.requantizer_ge(array.accumulator_bits, MULTIPLIER_BITS)
    return _Logic(
        array.columns * each_ge,
        f"one a column, {array.columns} of {array.accumulator_bits} x {MULTIPLIER_BITS} bits: "
        f"{each_ge:,.0f} gate equivalents each",
        study.parts.requantizer_ge_by_bit_product.source,
    )


def _vector_unit(study: _Study) -> _Logic:
    lanes, parts = study.accelerator.vector_unit.lanes, study.parts
    requantizer_ge = parts.requantizer_ge(LANE_BITS, MULTIPLIER_BITS)
    lane_ge = 2 * requantizer_ge + parts.accumulators_ge(LANE_BITS + ACCUMULATOR_BITS)
    return _Logic(
        lanes * lane_ge,
        f"{lanes} lanes, each with a requantizer of {LANE_BITS} x {MULTIPLIER_BITS} bits for both "
        f"operands, an adder of {LANE_BITS} bits and an accumulator of {ACCUMULATOR_BITS}: "
        f"{lane_ge:,.0f} gate equivalents each",
        f"{parts.requantizer_ge_by_bit_product.source}; {parts.accumulator.source}",
    )


def _statistics(study: _Study) -> _Logic:
    lanes, further = study.accelerator.vector_unit.lanes, SUMMARY_ACCUMULATORS - 1
    return _Logic(
        lanes * study.parts.accumulators_ge(further * ACCUMULATOR_BITS),
        f"{further} further accumulators of {ACCUMULATOR_BITS} bits in each of {lanes} lanes of "
        "the vector unit",
        study.parts.accumulator.source,
    )


def _channel_scale(study: _Study) -> _Logic:
    array, scaler, parts = study.accelerator.array, study.accelerator.channel_scaler, study.parts
    wide = scaler.accumulator_bits
    product_ge = parts.multiplier_ge(PARTIAL_SUM_BITS, REACH_BITS) + wide * parts.adder_bit_ge
    wider = max(wide - array.accumulator_bits, 0)
    element_ge = wide * parts.flip_flop_ge + wider * parts.adder_bit_ge
    return _Logic(
        scaler.multipliers * product_ge + array.processing_elements * element_ge,
        f"{scaler.multipliers} multipliers of {PARTIAL_SUM_BITS} x {REACH_BITS} bits with adders "
        f"of {wide}; in each of {array.processing_elements} elements an accumulator of {wide} bits "
        f"whose adder is {wider} bits wider than the array's",
        f"{parts.multiplier_ge_by_bit_product.source}; {parts.accumulator.source}",
    )


_LOGIC: Mapping[str, _Rule] = {
    "mac_array": _mac_array,
    "array_registers": _array_registers,
    "requantizer": _requantizer,
    "vector_unit": _vector_unit,
}
"""What every machine has."""

_NORMALIZATION: Mapping[str, _Rule] = {"statistics": _statistics, "channel_scale": _channel_scale}
"""What run-time normalization alone needs."""


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
