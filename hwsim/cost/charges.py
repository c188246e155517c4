"""What each type of command is charged for: how often which component did what.

The one account of cost. Totals are sums of charges; energy is a count times an entry of the
named energy table. What is not here is listed in `accelerators` as not modelled.
"""

from collections import Counter

from accelerators import Accelerator, Action
from accelerators.datapaths.kinds import datapath_of
from hwsim.schedule.array_work import ArrayWork
from hwsim.schedule.commands import (
    Accumulate,
    Convolve,
    Elementwise,
    Interpolate,
    LoadConstants,
    LoadRows,
    ScalingOperands,
    StoreRows,
    VectorCommand,
)
from hwsim.schedule.scaled_array_work import ScaledArrayWork
from hwsim.schedule.storage import Rows, ceil_divide, pixel_bytes
from hwsim.schedule.traffic import bus_bytes, opened_pages, row_words, sram_words
from hwsim.schedule.vector_work import vector_work
from quant.common.run_time_scaling import POINT_BITS

READ_WORD = Action("sram", "read_word")
WRITE_WORD = Action("sram", "write_word")
READ_BIT = Action("dram", "read_bit")
WRITE_BIT = Action("dram", "write_bit")
REQUANTIZE_OUTPUT = Action("requantizer", "output")
SRAM_LEAKAGE = Action("sram", "leakage")
ARRAY_LEAKAGE = Action("mac_array", "leakage")
READ_SUM = Action("accumulators", "read")
WRITE_SUM = Action("accumulators", "write")
ACCUMULATOR_LEAKAGE = Action("accumulators", "leakage")
ARRAY_CLOCK = Action("mac_array", "clock")
ACTIVATE = Action("dram", "activate")
STANDBY = Action("dram", "standby")

Charges = Counter[Action]


def charge_load(command: LoadConstants | LoadRows, accelerator: Accelerator) -> Charges:
    """The actions of a transfer into SRAM, with their counts."""
    charges: Charges = Counter(
        {
            READ_BIT: 8 * bus_bytes(command, accelerator.dram),
            WRITE_WORD: sram_words(command, accelerator.sram.word_bits),
        }
    )
    return charges + Counter({ACTIVATE: opened_pages(command, accelerator.dram)})


def charge_store(command: StoreRows, accelerator: Accelerator) -> Charges:
    """The actions of a transfer out of SRAM, with their counts."""
    charges: Charges = Counter(
        {
            WRITE_BIT: 8 * bus_bytes(command, accelerator.dram),
            READ_WORD: sram_words(command, accelerator.sram.word_bits),
        }
    )
    return charges + Counter({ACTIVATE: opened_pages(command, accelerator.dram)})


def charge_idle(cycles: int, accelerator: Accelerator) -> Charges:
    """What passes with time whatever is done: leakage, the array's clock, the DRAM's standby."""
    array = accelerator.array
    charges: Charges = Counter(
        {
            SRAM_LEAKAGE: cycles,
            ARRAY_LEAKAGE: cycles * array.multipliers,
            ARRAY_CLOCK: cycles * array.multipliers,
            STANDBY: cycles,
        }
    )
    if datapath_of(array).keeps_partial_sums:
        charges[ACCUMULATOR_LEAKAGE] = cycles * array.columns
    return charges


def charge_convolution(command: Convolve, accelerator: Accelerator) -> Charges:
    """The actions of a tile on the array, with their counts."""
    output = command.output
    work = command.work
    word_bits = accelerator.sram.word_bits
    activation_words, weight_words = work.sram_reads(accelerator)
    parameter_words = ceil_divide(command.parameters.size_bytes * 8, word_bits)
    shuffled = 1 if command.remap is None else command.remap.factor**2
    written_channels = command.channels // shuffled
    written_bits = output.columns * pixel_bytes(written_channels, output.buffer.integer) * 8
    charges: Charges = Counter(
        {
            READ_WORD: activation_words + weight_words + parameter_words,
            WRITE_WORD: output.count * ceil_divide(written_bits, word_bits),
            REQUANTIZE_OUTPUT: command.pixels * command.channels,
        }
    )
    if isinstance(work, ArrayWork):
        return charges + _charge_products(work, accelerator)
    assert command.scaling is not None
    return charges + charge_scaling(work, command.scaling, accelerator)


def _charge_products(work: ArrayWork, accelerator: Accelerator) -> Charges:
    """Multiply-accumulates, and the partial sums they leave and take up again."""
    sums = work.partial_sums(accelerator)
    macs = datapath_of(accelerator.array).mac_actions(work)
    charges: Charges = Counter({_mac(*widths): count for widths, count in macs.items()})
    charges.update({READ_SUM: sums.reads, WRITE_SUM: sums.writes})
    return +charges


def charge_scaling(
    work: ScaledArrayWork, operands: ScalingOperands, accelerator: Accelerator
) -> Charges:
    """What a tile of a scaled convolution is charged beside transfers of codes and weights.

    Products of operands wider than the multiplier are charged slice by slice.
    """
    word_bits = accelerator.sram.word_bits
    border_words = ceil_divide(work.border_bytes(accelerator) * 8, word_bits)
    charges: Charges = Counter(
        {
            Action("table_decode", "lookup"): work.fed_codes(accelerator),
            Action("channel_scale", "partial_sum"): work.scaled_partial_sums,
            READ_WORD: work.table_reads(accelerator)
            + row_words(operands.factors, word_bits)
            + border_words,
        }
    )
    of_weight, of_activation = work.operand_slices(accelerator)
    for weight_bits in of_weight:
        for activation_bits in of_activation:
            charges[_mac(weight_bits, activation_bits)] += work.macs
    if work.scaling.placement != "partial_sums":
        passes = len(of_weight) * len(of_activation)
        charges[Action("channel_scale", "wide_sum")] += work.macs * passes
    return charges + _charge_preparation(work, accelerator) if operands.prepares else charges


def _charge_preparation(work: ScaledArrayWork, accelerator: Accelerator) -> Charges:
    """What is made once of weights and means, and of weights or tables and reaches."""
    word_bits, scaling = accelerator.sram.word_bits, work.scaling
    scaled = {"activations": "table_entry", "weights": "weight"}.get(scaling.placement)
    stored_bits = POINT_BITS if scaled == "table_entry" else work.weights.weight_bits
    weight_bits = work.border_macs * work.weights.weight_bits
    charges: Charges = Counter(
        {
            Action("border_correction", "mac"): work.border_macs,
            Action("border_correction", "add"): work.border_sums,
            READ_WORD: ceil_divide(work.scaled_in_preparation * stored_bits, word_bits)
            + ceil_divide(weight_bits, word_bits),
            WRITE_WORD: ceil_divide(work.prepared_bytes(accelerator) * 8, word_bits),
        }
    )
    if scaled is not None:
        charges[Action("channel_scale", scaled)] = work.scaled_in_preparation
    return charges


def _mac(weight_bits: int, activation_bits: int) -> Action:
    return Action("mac_array", "mac", weight_bits=weight_bits, activation_bits=activation_bits)


def charge_elementwise(command: Elementwise, accelerator: Accelerator) -> Charges:
    """The actions of a tile on the vector unit, with their counts."""
    word_bits = accelerator.sram.word_bits
    read_words = sum(row_words(rows, word_bits) for rows in command.inputs)
    return _charge_vector_unit(command, command.output, read_words, accelerator)


def charge_interpolation(command: Interpolate, accelerator: Accelerator) -> Charges:
    """The actions of a tile of a bilinear resize: every row reads the two that it lies between."""
    ifm = command.input
    word_bits = accelerator.sram.word_bits
    two_rows = row_words(Rows(ifm.buffer, ifm.first, 2, ifm.columns), word_bits)
    read_words = command.output.count * two_rows
    return _charge_vector_unit(command, command.output, read_words, accelerator)


def charge_accumulation(command: Accumulate, accelerator: Accelerator) -> Charges:
    """The actions of a tile's share of a statistic; all but the first read what is there."""
    word_bits = accelerator.sram.word_bits
    read_words = sum(row_words(rows, word_bits) for rows in command.reads)
    return _charge_vector_unit(command, command.input, read_words, accelerator)


def _charge_vector_unit(
    command: VectorCommand, elements_of: Rows, read_words: int, accelerator: Accelerator
) -> Charges:
    """What each element does, and the words of operands, constants, lookups and the result."""
    word_bits = accelerator.sram.word_bits
    work = vector_work(command.operator, command.output.buffer.integer)
    elements = elements_of.pixels * elements_of.buffer.channels
    constants = command.constants
    if constants is not None and not work.lookups:
        read_words += ceil_divide(constants.size_bytes * 8, word_bits)
    charges: Charges = Counter(
        {
            READ_WORD: read_words + work.lookups * elements,
            WRITE_WORD: row_words(command.output, word_bits),
        }
    )
    for name, count in work.actions.items():
        charges[Action(work.component, name)] = count * elements
    return charges
