"""Where the cycles of a command on the MAC array go: products, and what keeps multipliers idle.

Counted in bit slots, so that every part is a whole number: one cycle of one processing element of
one pair of operand bits. A cycle of an array of R rows, C columns and multipliers of w × a bits
has R·C·w·a of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from accelerators import Accelerator
from accelerators.datapaths.channel_scaling import scaling_cycles
from accelerators.datapaths.output_stationary import precision_passes, scattered_feed_cycles
from hwsim.schedule.array_work import ArrayWork
from hwsim.schedule.scaled_array_work import ScaledArrayWork
from hwsim.schedule.storage import ceil_divide

COMPUTE = "compute"
NARROW_OPERANDS = "narrow_operands"
WIDE_OPERANDS = "wide_operands"
CHANNEL_PADDING = "channel_padding"
PIXEL_PADDING = "pixel_padding"
SRAM = "sram"
CHANNEL_SCALER = "channel_scaler"
FILL_DRAIN = "fill_drain"

Slots = Mapping[str, int]
"""Bit slots by cause."""


def slots_per_cycle(accelerator: Accelerator) -> int:
    """Bit slots of one cycle of the array."""
    array = accelerator.array
    return array.processing_elements * array.weight_bits * array.activation_bits


def array_slots(work: ArrayWork | ScaledArrayWork, accelerator: Accelerator) -> Slots:
    """The bit slots of a command on the array by cause; they add up to all of its cycles.

    Of an array whose dataflow has no row in the table below, all but its products counts as
    filling and draining.
    """
    split = _SPLITS.get((type(work), accelerator.array.dataflow), _products_alone)
    return split(work, accelerator)


def _output_stationary(work: ArrayWork, accelerator: Accelerator) -> Slots:
    array, sram = accelerator.array, accelerator.sram
    passes = precision_passes(array, work.weight_bits, work.activation_bits)
    used_bits = min(work.weight_bits, array.weight_bits) * min(
        work.activation_bits, array.activation_bits
    )
    feed = 0
    if work.groups > 1:
        feed = scattered_feed_cycles(
            array, work.pixels, work.taps, work.group_channels, work.activation_bits,
            sram.word_bits, sram.banks,
        )  # fmt: skip
    slots = _tiles(accelerator, work.pixels, work.channels, work.groups, work.reduction, passes,
                   used_bits)  # fmt: skip
    slots[SRAM] = _late_feed(work.groups, work.pixels, work.channels, work.reduction * passes,
                             feed, accelerator)  # fmt: skip
    return _with_rest(slots, FILL_DRAIN, work.cycles(accelerator), accelerator)


def _scaled_output_stationary(work: ScaledArrayWork, accelerator: Accelerator) -> Slots:
    """As above; waiting for the scaler's products, and its preparation, is the scaler's."""
    array = accelerator.array
    of_weight, of_activation = work.operand_slices(accelerator)
    passes, reduction = len(of_weight) * len(of_activation), work.weights.reduction
    used_bits = max(of_weight) * max(of_activation)
    feed = 0
    if work.scaling.placement == "partial_sums":
        outputs = min(work.pixels, array.rows) * min(work.channels, array.columns)
        feed = scaling_cycles(accelerator, outputs * work.weights.inputs)
    slots = _tiles(accelerator, work.pixels, work.channels, 1, reduction, passes, used_bits)
    slots[CHANNEL_SCALER] = _late_feed(
        1, work.pixels, work.channels, reduction * passes, feed, accelerator
    )
    own_cycles = replace(work, prepares=False).cycles(accelerator)
    preparation = work.cycles(accelerator) - own_cycles
    slots = _with_rest(slots, FILL_DRAIN, own_cycles, accelerator)
    slots[CHANNEL_SCALER] += preparation * slots_per_cycle(accelerator)
    return slots


def _tiles(
    accelerator: Accelerator,
    pixels: int,
    channels: int,
    groups: int,
    reduction: int,
    passes: int,
    used_bits: int,
) -> dict[str, int]:
    """Products and padding of all tiles.

    Idle columns of the pixels there are count as padding of channels; rows without a pixel, with
    all their columns, as padding of pixels.
    """
    array = accelerator.array
    multiplier_bits = array.weight_bits * array.activation_bits
    row_folds = ceil_divide(pixels, array.rows)
    columns = ceil_divide(channels // groups, array.columns) * groups * array.columns
    macs = pixels * channels * reduction
    idle_rows = row_folds * array.rows - pixels
    padding = passes * reduction * multiplier_bits
    return {
        COMPUTE: macs * used_bits,
        NARROW_OPERANDS: macs * (multiplier_bits - used_bits),
        WIDE_OPERANDS: macs * (passes - 1) * multiplier_bits,
        CHANNEL_PADDING: pixels * (columns - channels) * padding,
        PIXEL_PADDING: idle_rows * columns * padding,
    }


def _late_feed(
    groups: int, pixels: int, channels: int, operands: int, feed: int, accelerator: Accelerator
) -> int:
    """Slots of all tiles' cycles by which their operands, or factors, come later than needed.

    Where draining a tile takes longer than both, only the last tile is held up, as in the formula.
    """
    array = accelerator.array
    folds = ceil_divide(pixels, array.rows) * ceil_divide(channels // groups, array.columns)
    tiles = folds * groups
    late = (tiles - 1) * (max(feed, operands, array.rows) - max(operands, array.rows))
    return (late + max(feed - operands, 0)) * slots_per_cycle(accelerator)


def _products_alone(work: ArrayWork | ScaledArrayWork, accelerator: Accelerator) -> Slots:
    cycles = work.cycles(accelerator)
    array = accelerator.array
    products = work.macs * array.weight_bits * array.activation_bits
    slots = {COMPUTE: min(products, cycles * slots_per_cycle(accelerator))}
    return _with_rest(slots, FILL_DRAIN, cycles, accelerator)


def _with_rest(
    slots: dict[str, int], cause: str, cycles: int, accelerator: Accelerator
) -> dict[str, int]:
    """The slots, and what is left of so many cycles for a cause."""
    slots[cause] = cycles * slots_per_cycle(accelerator) - sum(slots.values())
    assert min(slots.values()) >= 0, slots
    return slots


_Split = Callable[..., Slots]

_SPLITS: Mapping[tuple[type[ArrayWork | ScaledArrayWork], str], _Split] = {
    (ArrayWork, "output_stationary"): _output_stationary,
    (ScaledArrayWork, "output_stationary"): _scaled_output_stationary,
}
"""How the cycles of each kind of work on each dataflow divide."""
