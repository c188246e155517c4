"""When each command runs: an event clock over the DMA channel, the MAC array and the vector unit.

Commands start in issue order on their unit, as soon as the unit is free, what they read has
arrived and what they overwrite has been read. Transfers and computation overlap wherever the
program's buffers allow it.
"""

from dataclasses import dataclass

from accelerators import Accelerator
from accelerators.datapaths.output_stationary import convolution_cycles
from accelerators.vector_unit import elementwise_cycles
from hwsim.schedule.program import (
    Barrier,
    Block,
    Command,
    Convolve,
    Elementwise,
    LoadConstants,
    LoadRows,
    Program,
    Rows,
    StoreRows,
)
from hwsim.schedule.traffic import dram_bytes, transfer_cycles
from hwsim.schedule.verifier import reads, writes

UNITS = ("dma", "mac_array", "vector_unit")
_UNIT_OF: dict[type[Command], str] = {
    LoadConstants: "dma",
    LoadRows: "dma",
    StoreRows: "dma",
    Convolve: "mac_array",
    Elementwise: "vector_unit",
}


@dataclass(frozen=True, slots=True)
class Event:
    """A command holding a unit from ``start`` to ``end``, in cycles.

    ``done`` is when its result is there: later than ``end`` by the DRAM's latency for a load.
    """

    command: Command
    unit: str
    start: int
    end: int
    done: int


class Clock:
    """Advances with each command of a program, in issue order."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.now = 0
        self._free = dict.fromkeys(UNITS, 0)
        self._arrived: dict[int, int] = {}
        self._released: dict[int, int] = {}

    def advance(self, command: Command) -> Event | None:
        """Run one command; a barrier waits for everything and gives no event."""
        if isinstance(command, Barrier):
            self._free = dict.fromkeys(UNITS, self.now)
            self._arrived.clear()
            self._released.clear()
            return None
        unit = _UNIT_OF[type(command)]
        sources = [address for piece in reads(command) for address in _addresses(piece)]
        targets = [address for piece in writes(command) for address in _addresses(piece)]
        start = self._free[unit]
        for address in sources:
            start = max(start, self._arrived.get(address, 0))
        for address in targets:
            start = max(start, self._arrived.get(address, 0), self._released.get(address, 0))
        end = start + command_cycles(command, self.accelerator)
        done = end
        if isinstance(command, LoadConstants | LoadRows):
            done += self.accelerator.dram.latency_cycles
        self._free[unit] = end
        for address in sources:
            self._released[address] = max(self._released.get(address, 0), end)
        for address in targets:
            self._arrived[address] = done
        self.now = max(self.now, done)
        return Event(command, unit, start, end, done)


def timeline(program: Program, accelerator: Accelerator) -> list[Event]:
    """Every command of a program on the unit that runs it, with start and end in cycles."""
    clock = Clock(accelerator)
    events = (clock.advance(command) for command in program.commands)
    return [event for event in events if event is not None]


def command_cycles(command: Command, accelerator: Accelerator) -> int:
    """Cycles a command holds its unit."""
    match command:
        case Convolve(input=ifm, output=output, channels=channels, settings=settings):
            height, width = settings.kernel
            return convolution_cycles(
                accelerator.array,
                output.pixels,
                channels,
                height * width * ifm.buffer.channels,
                settings.weight_type.bits,
                ifm.buffer.integer.bits,
            )
        case Elementwise(output=output):
            elements = output.pixels * output.buffer.channels
            return elementwise_cycles(accelerator.vector_unit.lanes, elements)
        case LoadConstants() | LoadRows() | StoreRows():
            size_bytes = dram_bytes(command, accelerator.dram.burst_bytes)
            return transfer_cycles(accelerator, size_bytes)
        case Barrier():
            return 0


def _addresses(piece: Rows | Block) -> list[int]:
    return piece.addresses() if isinstance(piece, Rows) else [piece.address]
