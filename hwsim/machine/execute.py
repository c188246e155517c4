"""Runs a program on simulated memories, bit for bit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.arithmetic._threads import default_threads
from hwsim.arithmetic.packing import pack_rows, unpack_rows
from hwsim.machine.accumulators import LayerOverflows, OverflowLog
from hwsim.machine.mac_array import Observe
from hwsim.machine.memory import Dram, Sram
from hwsim.machine.overlap import Progress, run_overlapped
from hwsim.machine.sums import Sums, sums_of_octets
from hwsim.machine.worker import Worker
from hwsim.schedule.commands import Command, Convolve
from hwsim.schedule.program import Program
from hwsim.schedule.storage import DramTensor, codes_per_pixel, is_sum

Codes = NDArray[np.int32]

MOST_WORKERS = 3
"""A ring has room for two tiles at a time, and for the transfers of a third."""

EASY_BITS = 16
"""Of a weight and an activation together, up to which a tile's convolution takes about as long as
Python around its commands. Threads cannot share that, and take turns for it slower than one alone:
64 rows of EDSR-baseline, 8 × 8 bits, took two threads 1.8 s on two processors and one 1.3 s."""

BATCH = 64
"""Commands run in order between two reports of progress."""


@dataclass(frozen=True, slots=True, eq=False)
class Execution:
    """What came out of running a program.

    Attributes:
        output: [height, width, channels], the codes of the output tensor; int64 if it is a sum
            over a feature map, else int32.
        dram_read_bytes: payload bytes actually read from DRAM.
        dram_write_bytes: payload bytes actually written to DRAM.
        overflows: of each convolution that declares an accumulator, in the order of groups.
    """

    output: Codes | Sums
    dram_read_bytes: int
    dram_write_bytes: int
    overflows: tuple[LayerOverflows, ...]


def execute(
    program: Program,
    accelerator: Accelerator,
    image: Codes,
    progress: Progress | None = None,
    threads: int | None = None,
    observe: Observe | None = None,
) -> Execution:
    """Run a program on an image.

    Args:
        program: scheduled for this accelerator and the image's size, and verified.
        accelerator: the machine.
        image: int32 [height, width, channels], codes of the input tensor.
        progress: called now and then with commands done and commands in all, and at the end.
        threads: how many to use; by default ``NUMBA_NUM_THREADS`` or all processors.
        observe: shown every convolution but those whose channels are scaled at run time, from any
            of the threads.

    Returns:
        The output and the traffic, the same for any number of threads.

    Raises:
        MachineError: a command reads SRAM that holds nothing.
        AccumulatorOverflow: a sum left an accumulator whose overflow is ``error``.
        ValueError: the image does not have the program's input shape.
    """
    tensor = program.input
    wanted = (tensor.size.height, tensor.size.width, tensor.channels)
    if image.shape != wanted:
        raise ValueError(f"program input: expected codes of shape {wanted}, given {image.shape}")
    dram = Dram(program.constants, program.dram_bytes)
    sram = Sram(accelerator.sram.size_kib * 1024)
    _put(image, dram, tensor)
    overflows = OverflowLog()
    available = threads or default_threads()
    count = min(available, MOST_WORKERS) if _takes_long(program) else 1
    share = available // count
    workers = [Worker(dram, sram, overflows, share, observe) for _ in range(count)]
    if count > 1:
        run_overlapped(program.commands, [worker.run for worker in workers], progress)
    else:
        _run_in_order(program.commands, workers[0].run, progress)
    overflows.require_none()
    return Execution(
        _get(dram, program.output),
        sum(worker.dma.read_bytes for worker in workers),
        sum(worker.dma.write_bytes for worker in workers),
        overflows.layers(),
    )


def _takes_long(program: Program) -> bool:
    """Whether some convolution keeps a thread busy while others run commands beside it."""
    return any(
        command.settings.accumulator is not None
        or command.settings.weight_type.bits + command.input.buffer.integer.bits > EASY_BITS
        for command in program.commands
        if isinstance(command, Convolve)
    )


def _run_in_order(
    commands: Sequence[Command], run: Callable[[Command], None], progress: Progress | None
) -> None:
    """Run commands one after the other; as `run_overlapped` with a single worker."""
    for start in range(0, len(commands), BATCH):
        batch = commands[start : start + BATCH]
        for command in batch:
            run(command)
        if progress is not None:
            progress(start + len(batch), len(commands))


def _put(codes: Codes, dram: Dram, tensor: DramTensor) -> None:
    """Place a whole feature map in DRAM from outside."""
    addresses = dram.row_addresses(tensor, 0, tensor.size.height, 0)
    pack_rows(codes, dram.octets, addresses, tensor.pixel_bytes, 0, tensor.code)


def _get(dram: Dram, tensor: DramTensor) -> Codes | Sums:
    """Take a whole feature map from DRAM to the outside."""
    height, width = tensor.size.height, tensor.size.width
    codes = np.empty((height, width, codes_per_pixel(tensor.channels, tensor.integer)), np.int32)
    addresses = dram.row_addresses(tensor, 0, height, 0)
    unpack_rows(dram.octets, addresses, width, codes.shape[2], tensor.code, codes, 0)
    return sums_of_octets(codes, tensor.integer.bits // 8) if is_sum(tensor.integer) else codes
