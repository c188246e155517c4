"""What each type of command costs: one row of a table, and a memory of the shapes met so far.

A command's cycles and charges depend on its shape alone, and a program has many commands but few
shapes. Of addresses only the column counts at which a transfer's rows start: rows of tensors, and
constants, start on a burst.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from accelerators import Accelerator
from accelerators.vector_unit import work_cycles
from hwsim.cost.charges import (
    Charges,
    charge_accumulation,
    charge_convolution,
    charge_elementwise,
    charge_interpolation,
    charge_load,
    charge_store,
)
from hwsim.schedule.commands import (
    Accumulate,
    Command,
    Convolve,
    Elementwise,
    Interpolate,
    LoadConstants,
    LoadRows,
    StoreRows,
    VectorCommand,
)
from hwsim.schedule.storage import Block, Rows
from hwsim.schedule.traffic import Transfer, bus_bytes, transfer_cycles
from hwsim.schedule.vector_work import vector_work

DMA, MAC_ARRAY, VECTOR_UNIT = UNITS = ("dma", "mac_array", "vector_unit")


@dataclass(frozen=True, slots=True, eq=False)
class CommandCost:
    """What commands of one shape cost.

    Attributes:
        unit: what executes them.
        cycles: how long they hold it.
        latency_cycles: how much later than that their result is there.
        charges: how often which component does what.
    """

    unit: str
    cycles: int
    latency_cycles: int
    charges: Charges


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a type of command is costed.

    Attributes:
        unit: what executes it.
        shape: all of a command that cycles and charges depend on; buffers, tensors and operators
            stand in it for themselves, by identity.
        cycles: how long a command holds its unit on an accelerator.
        charge: the actions it causes there.
        arrives_late: whether the DRAM's latency passes before its result is there.
    """

    unit: str
    shape: Callable[[Any], Hashable]
    cycles: Callable[[Any, Accelerator], int]
    charge: Callable[[Any, Accelerator], Charges]
    arrives_late: bool = False


def _constants_shape(command: LoadConstants) -> Hashable:
    return command.block.size_bytes


def _transfer_shape(command: LoadRows | StoreRows) -> Hashable:
    rows = command.rows
    # The column says how far inside a burst each row's run starts.
    return command.tensor, command.column, rows.buffer, rows.count, rows.columns


def _convolution_shape(command: Convolve) -> Hashable:
    output = command.output
    return (
        command.settings,
        command.input.buffer,
        output.buffer,
        output.count,
        output.columns,
        command.channels,
        command.parameters.size_bytes,
        command.scaling is not None and command.scaling.prepares,
    )


def _elementwise_shape(command: Elementwise) -> Hashable:
    return (type(command.operator), _size(command.constants), _pieces(command))


def _interpolation_shape(command: Interpolate) -> Hashable:
    return (_size(command.constants), _pieces(command))


def _accumulation_shape(command: Accumulate) -> Hashable:
    return (command.first, _pieces(command))


def _size(constants: Block | None) -> int:
    return 0 if constants is None else constants.size_bytes


def _pieces(command: VectorCommand) -> Hashable:
    pieces = (command.output, *(piece for piece in command.reads if isinstance(piece, Rows)))
    return tuple([(piece.buffer, piece.count, piece.columns) for piece in pieces])


def _transfer_cycles(command: Transfer, accelerator: Accelerator) -> int:
    return transfer_cycles(accelerator, bus_bytes(command, accelerator.dram))


def _convolution_cycles(command: Convolve, accelerator: Accelerator) -> int:
    return command.work.cycles(accelerator)


def _vector_cycles(command: VectorCommand, accelerator: Accelerator) -> int:
    rows = command.input if isinstance(command, Accumulate) else command.output
    return work_cycles(
        vector_work(command.operator, command.output.buffer.integer),
        accelerator.vector_unit.lanes,
        accelerator.sram.banks,
        rows.pixels * rows.buffer.channels,
    )


_KINDS: dict[type[Command], _Kind] = {
    LoadConstants: _Kind(DMA, _constants_shape, _transfer_cycles, charge_load, arrives_late=True),
    LoadRows: _Kind(DMA, _transfer_shape, _transfer_cycles, charge_load, arrives_late=True),
    StoreRows: _Kind(DMA, _transfer_shape, _transfer_cycles, charge_store),
    Convolve: _Kind(MAC_ARRAY, _convolution_shape, _convolution_cycles, charge_convolution),
    Elementwise: _Kind(VECTOR_UNIT, _elementwise_shape, _vector_cycles, charge_elementwise),
    Interpolate: _Kind(VECTOR_UNIT, _interpolation_shape, _vector_cycles, charge_interpolation),
    Accumulate: _Kind(VECTOR_UNIT, _accumulation_shape, _vector_cycles, charge_accumulation),
}
"""Every type of command but the barrier, which costs nothing."""


def command_cost(command: Command, accelerator: Accelerator) -> CommandCost:
    """The cost of one command, worked out from scratch."""
    kind = _KINDS[type(command)]
    latency_cycles = accelerator.dram.latency_cycles if kind.arrives_late else 0
    cycles = kind.cycles(command, accelerator)
    return CommandCost(kind.unit, cycles, latency_cycles, kind.charge(command, accelerator))


class CommandCosts:
    """The costs of commands on one machine, each shape worked out once.

    Attributes:
        accelerator: the machine.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self._by_shape: dict[tuple[type[Command], Hashable], CommandCost] = {}

    def of(self, command: Command) -> CommandCost:
        """The cost of a command; one object for all commands of a shape."""
        kind = type(command)
        shape = kind, _KINDS[kind].shape(command)
        cost = self._by_shape.get(shape)
        if cost is None:
            cost = self._by_shape[shape] = command_cost(command, self.accelerator)
        return cost
