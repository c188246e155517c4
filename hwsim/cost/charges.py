"""What each type of command is charged for: how often which component did what.

The one account of cost. Totals are sums of charges; energy is a count times an entry of the
named energy table. What is not here is listed in `accelerators` as not modelled.
"""

from collections import Counter

from accelerators import Accelerator, Action
from accelerators.datapaths.output_stationary import sram_reads
from hwsim.schedule.commands import (
    Convolve,
    Elementwise,
    LoadConstants,
    LoadRows,
    StoreRows,
)
from hwsim.schedule.storage import Rows, ceil_divide, pixel_bytes
from hwsim.schedule.traffic import dram_bytes, sram_words
from quant.graph import Add

READ_WORD = Action("sram", "read_word")
WRITE_WORD = Action("sram", "write_word")
READ_BIT = Action("dram", "read_bit")
WRITE_BIT = Action("dram", "write_bit")
REQUANTIZE_OUTPUT = Action("requantizer", "output")
ADD_ELEMENT = Action("vector_unit", "add")
REQUANTIZE_ELEMENT = Action("vector_unit", "requantize")
SRAM_LEAKAGE = Action("sram", "leakage")
ARRAY_LEAKAGE = Action("mac_array", "leakage")

Charges = Counter[Action]


def charge_load(command: LoadConstants | LoadRows, accelerator: Accelerator) -> Charges:
    """The actions of a transfer into SRAM, with their counts."""
    return Counter(
        {
            READ_BIT: 8 * dram_bytes(command, accelerator.dram.burst_bytes),
            WRITE_WORD: sram_words(command, accelerator.sram.word_bits),
        }
    )


def charge_store(command: StoreRows, accelerator: Accelerator) -> Charges:
    """The actions of a transfer out of SRAM, with their counts."""
    return Counter(
        {
            WRITE_BIT: 8 * dram_bytes(command, accelerator.dram.burst_bytes),
            READ_WORD: sram_words(command, accelerator.sram.word_bits),
        }
    )


def charge_idle(cycles: int, accelerator: Accelerator) -> Charges:
    """Leakage of memory and array while time passes, whatever they do."""
    array = accelerator.array
    return Counter({SRAM_LEAKAGE: cycles, ARRAY_LEAKAGE: cycles * array.rows * array.columns})


def charge_convolution(command: Convolve, accelerator: Accelerator) -> Charges:
    """The actions of a tile on the array, with their counts."""
    ifm, output, settings = command.input.buffer, command.output, command.settings
    reduction = settings.kernel[0] * settings.kernel[1] * ifm.channels
    word_bits = accelerator.sram.word_bits
    activation_words, weight_words = sram_reads(
        accelerator.array,
        output.pixels,
        command.channels,
        reduction,
        settings.weight_type.bits,
        ifm.integer.bits,
        word_bits,
    )
    parameter_words = ceil_divide(command.parameters.size_bytes * 8, word_bits)
    written_bits = output.columns * pixel_bytes(command.channels, output.buffer.integer) * 8
    mac = Action(
        "mac_array",
        "mac",
        weight_bits=settings.weight_type.bits,
        activation_bits=ifm.integer.bits,
    )
    return Counter(
        {
            mac: output.pixels * command.channels * reduction,
            READ_WORD: activation_words + weight_words + parameter_words,
            WRITE_WORD: output.count * ceil_divide(written_bits, word_bits),
            REQUANTIZE_OUTPUT: output.pixels * command.channels,
        }
    )


def charge_elementwise(command: Elementwise, accelerator: Accelerator) -> Charges:
    """The actions of a tile on the vector unit, with their counts.

    An addition brings both operands to a common scale first: two rescalings and a sum.
    """
    word_bits = accelerator.sram.word_bits
    elements = command.output.pixels * command.output.buffer.channels
    addends = elements if isinstance(command.operator, Add) else 0
    return Counter(
        {
            REQUANTIZE_ELEMENT: len(command.inputs) * elements,
            ADD_ELEMENT: addends,
            READ_WORD: sum(_row_words(rows, word_bits) for rows in command.inputs),
            WRITE_WORD: _row_words(command.output, word_bits),
        }
    )


def _row_words(rows: Rows, word_bits: int) -> int:
    return rows.count * ceil_divide(rows.columns * rows.buffer.pixel_bytes * 8, word_bits)
