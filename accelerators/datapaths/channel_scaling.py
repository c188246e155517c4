"""What a convolution takes whose input channels have factors that are known at run time.

docs/datapaths/channel_scaling.md derives the formulas. The output-stationary array does the
products; tables decode its activations, a few multipliers scale, and sums are kept in wider
accumulators beside those of the array.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accelerators.actions import Recipe
from accelerators.datapaths.output_stationary import convolution_cycles, slices
from quant.common.run_time_scaling import POINT_BITS

if TYPE_CHECKING:
    from accelerators.schema import Accelerator, Array

REACH_BITS = 16
MEAN_BITS = 17
"""Of a mean with its sign."""
OPERAND_BITS = 28
"""Of reach · point + 1024 · mean with its sign: at most 2^27 in magnitude."""
PARTIAL_SUM_BITS = 24
"""Of one channel's products: 11 bits of a point, 8 of a weight, 4 of nine or more taps, a sign."""
WEIGHT_BITS = 9
"""Of a weight that is scaled: 8 bits and a sign."""


@dataclass(frozen=True, slots=True)
class ScaledWidths:
    """Operands of the array's products under a placement of the reach.

    Attributes:
        weight_extra_bits: by which a weight in SRAM and in the array is wider than stored.
        point_bits: width of a table entry, and so of an activation in the array.
    """

    weight_extra_bits: int
    point_bits: int


WIDTHS: Mapping[str, ScaledWidths] = {
    "partial_sums": ScaledWidths(0, POINT_BITS),
    "activations": ScaledWidths(0, OPERAND_BITS),
    "weights": ScaledWidths(REACH_BITS, POINT_BITS),
}
"""By placement (`quant.common.run_time_scaling.PLACEMENTS`)."""


def sliced_cycles(
    array: "Array",
    pixels: int,
    channels: int,
    reduction: int,
    weight_bits: int,
    activation_bits: int,
    feed: int = 0,
) -> int:
    """`convolution_cycles` for operands of any width; every pair of slices is a pass."""
    of_weight = len(slices(weight_bits, array.weight_bits))
    of_activation = len(slices(activation_bits, array.activation_bits))
    return convolution_cycles(
        array,
        pixels,
        channels,
        reduction * of_weight * of_activation,
        array.weight_bits,
        array.activation_bits,
        feed=feed,
    )


def scaling_cycles(accelerator: "Accelerator", products: int) -> int:
    """Cycles the multiplication of so many numbers by a reach takes."""
    return -(-products // accelerator.channel_scaler.multipliers)


def recipes(accelerator: "Accelerator") -> dict[tuple[str, str], Recipe]:
    """The integer operations of each action, by component and name.

    A lookup selects one of a channel's points, which registers hold. That multiplexer has no
    published figure and is charged as one addition of a point's width, this project's choice, as
    the shifter of a requantizer is.
    """
    wide = accelerator.channel_scaler.accumulator_bits
    wider = max(wide - accelerator.array.accumulator_bits, 0)
    return {
        ("table_decode", "lookup"): Recipe(adds=(POINT_BITS,)),
        ("channel_scale", "partial_sum"): Recipe(((PARTIAL_SUM_BITS, REACH_BITS),), (wide,)),
        ("channel_scale", "table_entry"): Recipe(((POINT_BITS, REACH_BITS),), (OPERAND_BITS,)),
        ("channel_scale", "weight"): Recipe(((WEIGHT_BITS, REACH_BITS),)),
        ("channel_scale", "wide_sum"): Recipe(adds=(wider,) if wider else ()),
        ("border_correction", "mac"): Recipe(((WEIGHT_BITS, MEAN_BITS),), (wide,)),
        ("border_correction", "add"): Recipe(adds=(wide,)),
    }
