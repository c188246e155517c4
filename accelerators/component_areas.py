"""What the logic of each component of a machine is put together from, in gate equivalents.

docs/area-model.md tells every rule in words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from accelerators.actions import MULTIPLIER_BITS
from accelerators.catalog import load_datapath_factors
from accelerators.datapath_areas import PartAreas
from accelerators.datapath_factors import DatapathFactors
from accelerators.datapaths.channel_scaling import PARTIAL_SUM_BITS, REACH_BITS
from accelerators.datapaths.interface import Datapath
from accelerators.datapaths.kinds import datapath_of
from accelerators.energy_tables import EnergyTable
from accelerators.schema import Accelerator
from accelerators.vector_unit import ACCUMULATOR_BITS, LANE_BITS, SUMMARY_ACCUMULATORS
from quant.common.errors import UserError


@dataclass(frozen=True, slots=True)
class Logic:
    """Gate equivalents of a component, what it is made of, and their source."""

    gate_equivalents: float
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class Study:
    """A machine and the study its logic is put together from."""

    accelerator: Accelerator
    factors: DatapathFactors
    parts: PartAreas

    @property
    def datapath(self) -> Datapath:
        """The machine's datapath."""
        return datapath_of(self.accelerator.array)


Rule = Callable[[Study], Logic]
"""From a machine and its study to a component.

Raises UserError: the study has no such figure.
"""


def study_of(accelerator: Accelerator, table: EnergyTable) -> Study:
    """A machine and the study that its energy table names.

    Raises:
        UserError: there is none, or it has no areas.
    """
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
    return Study(accelerator, factors, factors.parts)


def _mac_array(study: Study) -> Logic:
    array, widths = study.accelerator.array, study.datapath.unit_widths
    unit = study.factors.area_of(array.dataflow)
    element_ge = study.parts.element_ge(unit, *widths, array.lanes, array.accumulator_bits)
    lanes = "" if array.lanes == 1 else f" of {array.lanes} lanes"
    accumulators = (
        "accumulators as synthesized"
        if unit.accumulator_bits is None
        else f"accumulators of {array.accumulator_bits} bits"
    )
    return Logic(
        array.processing_elements * element_ge,
        f"{array.processing_elements} {array.dataflow} elements{lanes} for weights of "
        f"{array.weight_bits} and activations of {array.activation_bits} bits, {accumulators}: "
        f"{element_ge:,.1f} gate equivalents each",
        unit.source,
    )


def _array_registers(study: Study) -> Logic:
    drain, skew = study.datapath.drain_bits, study.datapath.skew_bits
    if study.factors.has_drain_inside(study.accelerator.array.dataflow):
        drain = 0
    return Logic(
        (drain + skew) * study.parts.flip_flop_ge,
        f"{drain} flip-flops in which outputs leave, {skew} that skew operands at the edges",
        study.parts.cells.source,
    )


def _requantizer(study: Study) -> Logic:
    array = study.accelerator.array
    each_ge = study.parts.requantizer_ge(array.accumulator_bits, MULTIPLIER_BITS)
    return Logic(
        array.columns * each_ge,
        f"one a column, {array.columns} of {array.accumulator_bits} x {MULTIPLIER_BITS} bits: "
        f"{each_ge:,.0f} gate equivalents each",
        study.parts.requantizer_ge_by_bit_product.source,
    )


def _vector_unit(study: Study) -> Logic:
    lanes, parts = study.accelerator.vector_unit.lanes, study.parts
    requantizer_ge = parts.requantizer_ge(LANE_BITS, MULTIPLIER_BITS)
    lane_ge = 2 * requantizer_ge + parts.accumulators_ge(LANE_BITS + ACCUMULATOR_BITS)
    return Logic(
        lanes * lane_ge,
        f"{lanes} lanes, each with a requantizer of {LANE_BITS} x {MULTIPLIER_BITS} bits for both "
        f"operands, an adder of {LANE_BITS} bits and an accumulator of {ACCUMULATOR_BITS}: "
        f"{lane_ge:,.0f} gate equivalents each",
        f"{parts.requantizer_ge_by_bit_product.source}; {parts.accumulator.source}",
    )


def _statistics(study: Study) -> Logic:
    lanes, further = study.accelerator.vector_unit.lanes, SUMMARY_ACCUMULATORS - 1
    return Logic(
        lanes * study.parts.accumulators_ge(further * ACCUMULATOR_BITS),
        f"{further} further accumulators of {ACCUMULATOR_BITS} bits in each of {lanes} lanes of "
        "the vector unit",
        study.parts.accumulator.source,
    )


def _channel_scale(study: Study) -> Logic:
    array, scaler, parts = study.accelerator.array, study.accelerator.channel_scaler, study.parts
    wide = scaler.accumulator_bits
    product_ge = parts.multiplier_ge(PARTIAL_SUM_BITS, REACH_BITS) + wide * parts.adder_bit_ge
    wider = max(wide - array.accumulator_bits, 0)
    element_ge = wide * parts.flip_flop_ge + wider * parts.adder_bit_ge
    return Logic(
        scaler.multipliers * product_ge + array.processing_elements * element_ge,
        f"{scaler.multipliers} multipliers of {PARTIAL_SUM_BITS} x {REACH_BITS} bits with adders "
        f"of {wide}; in each of {array.processing_elements} elements an accumulator of {wide} bits "
        f"whose adder is {wider} bits wider than the array's",
        f"{parts.multiplier_ge_by_bit_product.source}; {parts.accumulator.source}",
    )


LOGIC: Mapping[str, Rule] = {
    "mac_array": _mac_array,
    "array_registers": _array_registers,
    "requantizer": _requantizer,
    "vector_unit": _vector_unit,
}
"""What every machine has."""

NORMALIZATION: Mapping[str, Rule] = {"statistics": _statistics, "channel_scale": _channel_scale}
"""What run-time normalization alone needs."""
