"""Where the cycles of a command on the MAC array go: products, and what keeps multipliers idle.

Parts of a cycle are counted as such: a cycle in which a quarter of the processing elements (PEs)
has no output channel loses a quarter of itself to that. Parts are fractions, so that they add up
exactly.
"""

from dataclasses import replace
from fractions import Fraction

from accelerators import Accelerator
from accelerators.datapaths.channel_scaling import scaling_cycles
from accelerators.datapaths.interface import Datapath, folds, reduction_steps
from accelerators.datapaths.kinds import datapath_of
from accelerators.datapaths.output_grid import OutputGrid
from accelerators.datapaths.stationary_grid import StationaryGrid
from accelerators.schema import Array
from hwsim.schedule.array_work import ArrayWork
from hwsim.schedule.scaled_array_work import ScaledArrayWork

COMPUTE = "compute"
NARROW_OPERANDS = "narrow_operands"
WIDE_OPERANDS = "wide_operands"
CHANNEL_PADDING = "channel_padding"
PIXEL_PADDING = "pixel_padding"
REDUCTION_PADDING = "reduction_padding"
SRAM = "sram"
CHANNEL_SCALER = "channel_scaler"
FILL_DRAIN = "fill_drain"

ARRAY_CAUSES = (
    COMPUTE,
    NARROW_OPERANDS,
    WIDE_OPERANDS,
    CHANNEL_PADDING,
    PIXEL_PADDING,
    REDUCTION_PADDING,
    SRAM,
    CHANNEL_SCALER,
    FILL_DRAIN,
)
"""What cycles of a command on the array may go to."""

PRODUCTS = (COMPUTE, NARROW_OPERANDS, WIDE_OPERANDS)
"""What products take when every PE has some in every cycle."""

Parts = dict[str, Fraction]
"""Cycles by cause."""

_PLENTY_OF_BANKS = 1 << 40


def array_parts(work: ArrayWork | ScaledArrayWork, accelerator: Accelerator) -> Parts:
    """The cycles of a command on the array by cause; they add up to all of its cycles.

    Of a kind of array without a split of its own, all but products counts as filling and draining.
    """
    if isinstance(work, ScaledArrayWork):
        return _scaled(work, accelerator)
    datapath = datapath_of(accelerator.array)
    cycles = work.cycles(accelerator)
    parts = dict.fromkeys(ARRAY_CAUSES, Fraction(0))
    if isinstance(datapath, OutputGrid):
        parts |= _output_grid(datapath, work)
    elif isinstance(datapath, StationaryGrid):
        parts |= _stationary_grid(datapath, work)
    else:
        peak = datapath.peak_macs_per_cycle(work.weight_bits, work.activation_bits)
        ideal = min(work.macs / peak, Fraction(cycles))
        parts |= _products(datapath, accelerator.array, work, ideal)
    if work.groups > 1:
        sram = accelerator.sram.model_copy(update={"banks": _PLENTY_OF_BANKS})
        parts[SRAM] += cycles - datapath.cycles(work, sram)
    return _with_rest(parts, cycles)


def _output_grid(datapath: OutputGrid, work: ArrayWork) -> Parts:
    """Rows take output pixels, columns channels; a PE takes some products of its output a step."""
    array = datapath.array
    lanes = datapath.lanes(work.weight_bits)
    passes = datapath.passes(work.weight_bits, work.activation_bits, work.weight_terms)
    steps = reduction_steps(work, lanes, array.lanes, array.kernel_taps)
    slot = Fraction(passes, array.processing_elements * lanes)  # of a product, idle or not
    ideal = work.macs * slot
    parts = _products(datapath, array, work, ideal)
    columns = folds(work.channels // work.groups, array.columns) * work.groups * array.columns
    rows = folds(work.pixels, array.rows) * array.rows
    depth = steps * lanes
    parts[REDUCTION_PADDING] = work.pixels * work.channels * (depth - work.reduction) * slot
    parts[CHANNEL_PADDING] = work.pixels * (columns - work.channels) * depth * slot
    parts[PIXEL_PADDING] = (rows - work.pixels) * columns * depth * slot
    return parts


def _stationary_grid(datapath: StationaryGrid, work: ArrayWork) -> Parts:
    """Rows take products of an output; columns hold its channels, or pixels; the others stream."""
    array = datapath.array
    slicing = datapath.slicing(work.weight_bits, work.activation_bits)
    folding = datapath.folding(work)
    slot = Fraction(slicing.held * slicing.streamed, array.processing_elements * slicing.products)
    depth = folding.reduction_folds * array.rows * slicing.products
    columns = folding.held_folds * array.columns
    parts = _products(datapath, array, work, work.macs * slot)
    parts[REDUCTION_PADDING] = work.pixels * work.channels * (depth - work.reduction) * slot
    if datapath.holds_weights:
        parts[CHANNEL_PADDING] = work.pixels * (columns - work.channels) * depth * slot
    else:
        idle = columns - work.pixels * work.groups
        parts[PIXEL_PADDING] = work.channels // work.groups * idle * depth * slot
    return parts


def _products(datapath: Datapath, array: Array, work: ArrayWork, ideal: Fraction) -> Parts:
    """Cycles of all products with every PE at work, divided by what widths make of them.

    What they would take at the array's native widths is the base; more of it is passes over wider
    operands. Of the base, bits count that operands have, of those that the array rounds them up to.
    """
    native = datapath.peak_macs_per_cycle(array.weight_bits, array.activation_bits)
    base = min(ideal, work.macs / native)
    widths = work.weight_bits, work.activation_bits
    rounded = datapath.effective_widths(*widths)
    limits = array.weight_bits, array.activation_bits
    filled = Fraction(1)
    for width, effective, limit in zip(widths, rounded, limits, strict=True):
        filled *= Fraction(min(width, limit), min(max(effective, width), limit))
    return {
        COMPUTE: base * filled,
        NARROW_OPERANDS: base * (1 - filled),
        WIDE_OPERANDS: ideal - base,
    }


def _scaled(work: ScaledArrayWork, accelerator: Accelerator) -> Parts:
    """An output-stationary array; what its operands wait for, and preparation, is the scaler's."""
    array = accelerator.array
    of_weight, of_activation = work.operand_slices(accelerator)
    reduction = work.weights.reduction
    passes = len(of_weight) * len(of_activation)
    columns = folds(work.channels, array.columns) * array.columns
    rows = folds(work.pixels, array.rows) * array.rows
    element = Fraction(1, array.processing_elements)
    base = work.macs * element
    filled = Fraction(
        max(of_weight) * max(of_activation), array.weight_bits * array.activation_bits
    )
    own_cycles = replace(work, prepares=False).cycles(accelerator)
    parts = dict.fromkeys(ARRAY_CAUSES, Fraction(0)) | {
        COMPUTE: base * filled,
        NARROW_OPERANDS: base * (1 - filled),
        WIDE_OPERANDS: base * (passes - 1),
        CHANNEL_PADDING: work.pixels * (columns - work.channels) * reduction * passes * element,
        PIXEL_PADDING: (rows - work.pixels) * columns * reduction * passes * element,
        CHANNEL_SCALER: Fraction(_late_factors(work, accelerator, reduction * passes)),
    }
    parts = _with_rest(parts, own_cycles)
    parts[CHANNEL_SCALER] += work.cycles(accelerator) - own_cycles
    return parts


def _late_factors(work: ScaledArrayWork, accelerator: Accelerator, operands: int) -> int:
    """Cycles of all tiles in which sums wait for the scaler, which has to be done with the last.

    Of tiles but the last, only what neither operands nor draining cover is waited for.
    """
    if work.scaling.placement != "partial_sums":
        return 0
    array = accelerator.array
    outputs = min(work.pixels, array.rows) * min(work.channels, array.columns)
    feed = scaling_cycles(accelerator, outputs * work.weights.inputs)
    tiles = folds(work.pixels, array.rows) * folds(work.channels, array.columns)
    covered = max(operands, array.rows)
    return (tiles - 1) * max(feed - covered, 0) + max(feed - operands, 0)


def _with_rest(parts: Parts, cycles: int) -> Parts:
    """The parts, and what is left of so many cycles for filling and draining."""
    parts[FILL_DRAIN] = cycles - sum(parts.values(), Fraction(0))
    assert min(parts.values()) >= 0, parts
    return parts
