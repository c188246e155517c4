"""What a transfer between DRAM and SRAM moves and how long it holds the DMA channel.

Every run of consecutive bytes is moved in whole bursts and is taken to start on one: rows of
tensors do (`DramTensor`); runs that start inside a row may in reality touch one burst more.
"""

from accelerators import Accelerator
from hwsim.schedule.commands import LoadConstants, LoadRows, StoreRows
from hwsim.schedule.storage import DramTensor, Rows, ceil_divide, round_up
from quant.graph import NearestResize

Transfer = LoadConstants | LoadRows | StoreRows


def payload_bytes(command: Transfer) -> int:
    """Bytes of data a transfer carries, without the rest of its last bursts."""
    runs, run = _dram_runs(command)
    return runs * run


def dram_bytes(command: Transfer, burst_bytes: int) -> int:
    """Bytes a transfer moves over the DRAM bus, in whole bursts."""
    runs, run = _dram_runs(command)
    return runs * round_up(run, burst_bytes)


def sram_words(command: Transfer, word_bits: int) -> int:
    """SRAM words a transfer reads or writes: each row of a buffer starts on a word."""
    match command:
        case LoadConstants(block=block):
            return ceil_divide(block.size_bytes * 8, word_bits)
        case LoadRows(rows=rows):
            return row_words(rows, word_bits)
        case StoreRows(rows=rows, remap=remap):
            # A nearest resize writes each row several times, and reads it as often.
            times = remap.factor if isinstance(remap, NearestResize) else 1
            return times * row_words(rows, word_bits)


def row_words(rows: Rows, word_bits: int) -> int:
    """SRAM words of rows, each of which starts on a word."""
    return rows.count * ceil_divide(rows.columns * rows.buffer.pixel_bytes * 8, word_bits)


def transfer_cycles(accelerator: Accelerator, size_bytes: int) -> int:
    """Cycles the DMA channel is held by that many bytes at the DRAM's bandwidth.

    bytes · clock / bandwidth, rounded up. The DRAM's latency comes on top of it for the data, but
    does not hold the channel.
    """
    bytes_per_cycle = accelerator.dram_bytes_per_cycle
    return ceil_divide(size_bytes * bytes_per_cycle.denominator, bytes_per_cycle.numerator)


def strip_bytes(tensor: DramTensor, columns: int, burst_bytes: int) -> int:
    """Bytes that moving one row of ``columns`` pixels of a tensor costs, in whole bursts."""
    return round_up(columns * tensor.pixel_bytes, burst_bytes)


def _dram_runs(command: Transfer) -> tuple[int, int]:
    """Number of runs of consecutive DRAM bytes, and the bytes of one run."""
    match command:
        case LoadConstants(block=block):
            return 1, block.size_bytes
        case LoadRows(tensor=tensor, rows=rows):
            return rows.count, rows.columns * tensor.pixel_bytes
        case StoreRows(tensor=tensor, rows=rows):
            factor = command.factor
            return rows.count * factor, rows.columns * factor * tensor.pixel_bytes
