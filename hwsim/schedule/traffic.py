"""What a transfer between DRAM and SRAM moves and how long it holds the DMA channel.

Every run of consecutive bytes is moved in whole bursts. Rows of tensors start on one
(`DramTensor`), and runs are taken to do so too; on a machine with ``dram.exact_bursts`` a run that
starts inside a burst moves all the bursts it touches.
"""

from accelerators import Accelerator
from accelerators.schema import Dram
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


def bus_bytes(command: Transfer, dram: Dram) -> int:
    """Bytes a transfer moves over the bus of a memory, in whole bursts.

    With ``exact_bursts``, those that its runs touch. Rows lie a multiple of the burst apart, so
    every run of a transfer starts as far inside a burst as the first.
    """
    if not dram.exact_bursts:
        return dram_bytes(command, dram.burst_bytes)
    runs, run = _dram_runs(command)
    inside = start_address(command) % dram.burst_bytes
    return runs * round_up(inside + run, dram.burst_bytes)


def start_address(command: Transfer) -> int:
    """DRAM address of the first byte a transfer moves."""
    if isinstance(command, LoadConstants):
        return command.address
    return command.tensor.pixel_address(command.row, command.column)


def opened_pages(command: Transfer, dram: Dram) -> int:
    """Pages of a memory that a transfer opens: each of its runs, and what crosses into more.

    Rows that follow each other without a gap are one run. A run of so many bytes, starting on any
    burst of a page with equal chance, touches 1 + (bytes - burst) / page pages on average; of all
    runs of a transfer together this is rounded down. It depends on no address, and no page is
    still open from an earlier run. Without ``page_bytes`` pages are not counted.
    """
    if dram.page_bytes is None:
        return 0
    runs, _ = _dram_runs(command)
    run = bus_bytes(command, dram) // runs
    if isinstance(command, LoadRows | StoreRows) and run >= command.tensor.row_bytes:
        runs, run = 1, runs * run
    return expected_pages(runs, run, dram)


def expected_pages(runs: int, run_bytes: int, dram: Dram) -> int:
    """Pages that runs of so many bus bytes open, as `opened_pages` counts; 0 without pages."""
    if dram.page_bytes is None:
        return 0
    return runs + runs * (run_bytes - dram.burst_bytes) // dram.page_bytes


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
