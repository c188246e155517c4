"""When each command runs: an event clock over the DMA channel, the MAC array and the vector unit.

Commands start in issue order on their unit, as soon as the unit is free, what they read has
arrived and what they overwrite has been read. Transfers and computation overlap wherever the
program's buffers allow it.
"""

from typing import NamedTuple

from accelerators import Accelerator
from hwsim.cost.command_costs import MAC_ARRAY, UNITS, CommandCost, CommandCosts
from hwsim.schedule.commands import Barrier, Command, Convolve
from hwsim.schedule.program import Program


class Event(NamedTuple):
    """A command holding a unit from ``start`` to ``end``, in cycles.

    ``done`` is when its result is there: later than ``end`` by the DRAM's latency for a load.
    """

    command: Command
    cost: CommandCost
    start: int
    end: int
    done: int

    @property
    def unit(self) -> str:
        """The unit that is held."""
        return self.cost.unit


class Clock:
    """Advances with each command of a program, in issue order."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.now = 0
        self._costs = CommandCosts(accelerator)
        self._mode_switch_cycles = accelerator.array.mode_switch_cycles
        self._free = dict.fromkeys(UNITS, 0)
        self._widths: tuple[int, int] | None = None
        self._arrived: dict[int, int] = {}
        self._released: dict[int, int] = {}

    def advance(self, command: Command) -> Event | None:
        """Run one command; a barrier waits for everything and gives no event.

        Behind a barrier the array changes its widths, whatever they were, while others start; and
        so it does between two convolutions whose operands have other widths.
        """
        if type(command) is Barrier:
            self._free = dict.fromkeys(UNITS, self.now)
            self._free[MAC_ARRAY] += self._mode_switch_cycles
            self._widths = None
            self._arrived.clear()
            self._released.clear()
            return None
        if type(command) is Convolve:
            self._switch(command)
        cost = self._costs.of(command)
        arrived, released = self._arrived, self._released
        sources = [address for piece in command.reads for address in piece.addresses()]
        targets = [address for piece in command.writes for address in piece.addresses()]
        waits = [arrived.get(address, 0) for address in (*sources, *targets)]
        waits += [released.get(address, 0) for address in targets]
        start = max(self._free[cost.unit], *waits)
        end = start + cost.cycles
        done = end + cost.latency_cycles
        self._free[cost.unit] = end
        for address in sources:
            released[address] = max(released.get(address, 0), end)
        for address in targets:
            arrived[address] = done
        self.now = max(self.now, done)
        return Event(command, cost, start, end, done)

    def _switch(self, command: Convolve) -> None:
        """Hold the array while its widths change, if those of a convolution are others."""
        widths = command.settings.weight_type.bits, command.input.buffer.integer.bits
        if self._widths not in (None, widths):
            self._free[MAC_ARRAY] += self._mode_switch_cycles
        self._widths = widths


def timeline(program: Program, accelerator: Accelerator) -> list[Event]:
    """Every command of a program on the unit that runs it, with start and end in cycles."""
    clock = Clock(accelerator)
    events = (clock.advance(command) for command in program.commands)
    return [event for event in events if event is not None]
