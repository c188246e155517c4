"""Commands as slices of a timeline: what a viewer says of each."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from accelerators import Accelerator
from hwsim.cost import Event
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
from hwsim.schedule.traffic import bus_bytes

Json = dict[str, Any]


class Slice(NamedTuple):
    """A unit at work.

    Attributes:
        unit: which one.
        name: of what it works on.
        category: kind of command.
        start: in cycles from the start of its cascade.
        cycles: how long the unit is held.
        read_bytes: read over the DRAM's bus, in whole bursts.
        written_bytes: written over it.
        macs: multiply-accumulate operations.
        details: what else a viewer shows, as JSON has it.
    """

    unit: str
    name: str
    category: str
    start: int
    cycles: int
    read_bytes: int
    written_bytes: int
    macs: int
    details: Json


class _Described(NamedTuple):
    """What is said of a command besides when it runs.

    Attributes:
        verb: in front of what it works on.
        subject: operator or feature map; None where it is the layer.
        category: kind of command.
        details: see `Slice`, as are the counts.
    """

    verb: str
    subject: str | None
    category: str
    details: Json
    read_bytes: int = 0
    written_bytes: int = 0
    macs: int = 0


def slice_of(event: Event, layers: Sequence[str], prefix: str, machine: Accelerator) -> Slice:
    """The slice of a command.

    Args:
        event: the command on its unit.
        layers: names of the program's groups.
        prefix: in front of the names of operators and feature maps.
        machine: that runs it.
    """
    command = event.command
    layer = layers[command.group]
    said = _DESCRIPTIONS[type(command)](command, machine)
    return Slice(
        event.unit,
        f"{said.verb}{prefix}{layer if said.subject is None else said.subject}",
        said.category,
        event.start,
        event.end - event.start,
        said.read_bytes,
        said.written_bytes,
        said.macs,
        {"layer": prefix + layer, **said.details},
    )


def _load_constants(command: LoadConstants, machine: Accelerator) -> _Described:
    details = {"dram_address": command.address}
    size_bytes = bus_bytes(command, machine.dram)
    return _Described("load constants of ", None, "load", details, read_bytes=size_bytes)


def _load_rows(command: LoadRows, machine: Accelerator) -> _Described:
    rows = command.rows
    tile = _tile(command.row, command.column, rows.count, rows.columns)
    size_bytes = bus_bytes(command, machine.dram)
    return _Described("load ", command.tensor.name, "load", tile, read_bytes=size_bytes)


def _store_rows(command: StoreRows, machine: Accelerator) -> _Described:
    rows, factor = command.rows, command.factor
    tile = _tile(command.row, command.column, rows.count * factor, rows.columns * factor)
    size_bytes = bus_bytes(command, machine.dram)
    return _Described("store ", command.tensor.name, "store", tile, written_bytes=size_bytes)


def _convolve(command: Convolve, _: Accelerator) -> _Described:
    output = command.output
    factor = 1 if command.remap is None else command.remap.factor
    tile = _tile(command.row, command.column, output.count // factor, output.columns // factor)
    tile["tile"] |= {"first_channel": command.first_channel, "channels": command.channels}
    return _Described("", command.node, "convolution", tile, macs=command.work.macs)


def _elementwise(command: Elementwise, _: Accelerator) -> _Described:
    return _Described("", command.node, command.operator.kind, _elements(command))


def _interpolate(command: Interpolate, _: Accelerator) -> _Described:
    output = command.output
    tile = _tile(*command.target, output.count, output.columns)
    return _Described("", command.node, command.operator.kind, {**tile, **_elements(command)})


def _accumulate(command: Accumulate, _: Accelerator) -> _Described:
    elements = command.input.pixels * command.input.buffer.channels
    return _Described("", command.node, command.operator.kind, {"elements": elements})


def _elements(command: VectorCommand) -> Json:
    rows = command.output
    return {"elements": rows.pixels * rows.buffer.channels}


def _tile(row: int, column: int, rows: int, columns: int) -> Json:
    return {"tile": {"row": row, "column": column, "rows": rows, "columns": columns}}


_DESCRIPTIONS: dict[type[Command], Callable[[Any, Accelerator], _Described]] = {
    LoadConstants: _load_constants,
    LoadRows: _load_rows,
    StoreRows: _store_rows,
    Convolve: _convolve,
    Elementwise: _elementwise,
    Interpolate: _interpolate,
    Accumulate: _accumulate,
}
"""Every type of command but the barrier, which no unit executes."""
