"""Executes commands: which unit does what each type of command asks for, a row per type."""

from collections.abc import Callable
from typing import Any

from hwsim.machine.accumulators import OverflowLog
from hwsim.machine.dma import Dma
from hwsim.machine.mac_array import MacArray, Observe
from hwsim.machine.memory import Dram, Sram
from hwsim.machine.vector_unit import VectorUnit
from hwsim.schedule.commands import (
    Accumulate,
    Barrier,
    Command,
    Convolve,
    Elementwise,
    Interpolate,
    LoadConstants,
    LoadRows,
    StoreRows,
)


class Worker:
    """Executes commands one at a time, on memories that it shares with others.

    A convolution may use threads of its own besides, ``threads`` in all; ``observe`` is shown it.

    Attributes:
        dma: the transfers it has made so far.
    """

    def __init__(
        self,
        dram: Dram,
        sram: Sram,
        overflows: OverflowLog,
        threads: int,
        observe: Observe | None = None,
    ) -> None:
        self.dma = Dma(dram, sram)
        self._sram = sram
        self._overflows = overflows
        self._mac_array = mac_array = MacArray(sram, overflows, threads, observe)
        vector_unit = VectorUnit(sram)
        self._actions: dict[type[Command], Callable[[Any], None]] = {
            LoadConstants: self.dma.load_constants,
            LoadRows: self.dma.load_rows,
            StoreRows: self.dma.store_rows,
            Convolve: mac_array.convolve,
            Elementwise: vector_unit.elementwise,
            Interpolate: vector_unit.interpolate,
            Accumulate: vector_unit.accumulate,
            Barrier: self._forget,
        }

    def run(self, command: Command) -> None:
        """Execute one command.

        Raises:
            MachineError: it reads SRAM that holds nothing.
            AccumulatorOverflow: it ends a group in which a sum overflowed that must not.
        """
        self._actions[type(command)](command)

    def _forget(self, _: Barrier) -> None:
        self._overflows.require_none()  # of the group that ended
        self._sram.forget()
        self._mac_array.forget()
