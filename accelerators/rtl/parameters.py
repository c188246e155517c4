"""The parameters of the Verilog that make up one accelerator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from accelerators.datapaths.interface import MAX_OPERAND_BITS
from quant.common.errors import UserError
from quant.common.requantization_modes import MODES

if TYPE_CHECKING:
    from accelerators.schema import Array

Parameters = Mapping[str, int | str]

OPERAND_BITS = MAX_OPERAND_BITS
"""Of an operand on its stream, sign-extended."""

BIAS_BITS = 40
MULTIPLIER_BITS = 32
SHIFT_BITS = 6
CODE_BITS = 17
"""Holds codes of 16 bits, signed or not."""
SCALE_BITS = BIAS_BITS + MULTIPLIER_BITS + SHIFT_BITS + 3 * CODE_BITS

EXACT_SUM_BITS = 48
"""Of accumulators that saturate at the end, at least: 65 536 products of 16 x 16 bits fit."""

_OUTPUT_KINDS = {
    "output_stationary": "multiply",
    "activation_serial": "gate_weight",
    "weight_serial": "gate_activation",
    "bit_serial": "count_bits",
    "shift_add": "shift_add",
}
"""What lanes do, by dataflow, where elements keep outputs."""

_STATIONARY_KINDS = {
    "weight_stationary": ("multiply", 1),
    "input_stationary": ("multiply", 0),
    "composable": ("bricks", 1),
}
"""What elements do and whether they hold weights, by dataflow, where they hold operands."""


@dataclass(frozen=True, slots=True)
class ArrayModule:
    """An array as one instance.

    Attributes:
        name: of the module.
        parameters: of the instance.
        keeps_outputs: whether it is an `output_array`, else a `stationary_array`.
    """

    name: str
    parameters: Parameters

    @property
    def keeps_outputs(self) -> bool:
        """Whether its elements keep outputs, and not operands."""
        return self.name == "output_array"


def array_module(
    array: "Array", rounding: str, scales: int = 16, zero_point_first: bool = False
) -> ArrayModule:
    """The Verilog of an array.

    Args:
        array: of an accelerator.
        rounding: the requantizers' mode.
        scales: blocks of as many output channels as there are columns, whose scales there is room
            for.
        zero_point_first: whether the zero point is added before the last rounding.

    Raises:
        UserError: there is no Verilog: the mode is computed in floating point, or accumulators
            saturate at every step.
    """
    if array.accumulator_overflow == "saturate_step":
        raise UserError(
            "array.accumulator_overflow 'saturate_step' begins every sum with its bias, and there "
            "is no Verilog of elements that do; choose error, wrap or saturate_final"
        )
    if MODES[rounding].is_float:
        raise UserError(
            f"requantizer.rounding '{rounding}' is defined in floating point and there is no "
            "Verilog of it; choose an integer mode such as half_up"
        )
    common: dict[str, int | str] = {
        "ROWS": array.rows,
        "COLUMNS": array.columns,
        "WEIGHT_BITS": array.weight_bits,
        "ACTIVATION_BITS": array.activation_bits,
        "OPERAND_BITS": OPERAND_BITS,
        "BIAS_BITS": BIAS_BITS,
        "MULTIPLIER_BITS": MULTIPLIER_BITS,
        "SHIFT_BITS": SHIFT_BITS,
        "CODE_BITS": CODE_BITS,
        "ROUNDING": rounding,
        "ZERO_POINT_FIRST": int(zero_point_first),
        **_accumulator(array),
    }
    if array.dataflow in _OUTPUT_KINDS:
        common |= {
            "KIND": _OUTPUT_KINDS[array.dataflow],
            "LANES": max(array.lanes, array.lanes_at_one_bit),
            "BLOCKS": scales,
        }
        return ArrayModule("output_array", common)
    kind, holds_weights = _STATIONARY_KINDS[array.dataflow]
    common |= {
        "KIND": kind,
        "HOLDS_WEIGHTS": holds_weights,
        "ENTRIES": array.accumulator_entries,
        "SCALES": scales if holds_weights else scales * array.columns,
    }
    return ArrayModule("stationary_array", common)


class ItemBits(NamedTuple):
    """Widths of what the streams of operands bring at a time.

    Attributes:
        of_rows: for one row: activations where outputs stay, else what streams past.
        of_columns: for one column: weights where outputs stay, else what is held.
    """

    of_rows: int
    of_columns: int


def item_bits(array: "Array") -> ItemBits:
    """What a row and a column of an array are brought at a time."""
    if array.dataflow in _OUTPUT_KINDS:
        lanes = max(array.lanes, array.lanes_at_one_bit)
        return ItemBits(lanes * OPERAND_BITS, lanes * OPERAND_BITS)
    if array.dataflow == "composable":  # as many of the narrowest operands as bricks make products
        half = OPERAND_BITS // 2
        return ItemBits(half * array.weight_bits, half * array.activation_bits)
    return ItemBits(OPERAND_BITS, OPERAND_BITS)


def _accumulator(array: "Array") -> Parameters:
    bits, overflow = array.accumulator_bits, array.accumulator_overflow
    sum_bits = max(bits, EXACT_SUM_BITS) if overflow == "saturate_final" else bits
    return {"SUM_BITS": sum_bits, "OVERFLOW": overflow, "OVERFLOW_BITS": bits}
