"""A netlist of a library's cells as arrays, ordered so that every gate follows what it reads."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis.cells import Cell
from accelerators.synthesis.liberty import Library
from quant.common.errors import UserError

Nets = NDArray[np.int32]

ZERO, ONE = 0, 1
"""The nets that never change."""

_CONSTANTS = {"0": ZERO, "1": ONE, "x": ZERO, "z": ZERO}
"""What is driven by nothing is held at 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A cell in a netlist.

    Attributes:
        cell: what it is.
        nets: of its connected pins.
    """

    cell: Cell
    nets: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """The outputs of combinational cells, each behind all it reads.

    Attributes:
        output: the net each drives, [gates].
        inputs: the nets it reads, gate by gate.
        first_input: where those of each begin, [gates + 1].
        truth: its truth table, uint64 [gates].
    """

    output: Nets
    inputs: Nets
    first_input: Nets
    truth: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.output)


@dataclass(frozen=True, slots=True, eq=False)
class FlipFlops:
    """The flip-flops, all of one clock.

    Attributes:
        data: the net that each takes over, [flip-flops].
        output: the net that it drives.
        is_inverted: whether it drives the inverted state.
    """

    data: Nets
    output: Nets
    is_inverted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.output)


@dataclass(frozen=True, slots=True, eq=False)
class Netlist:
    """A flat module of cells.

    Attributes:
        name: of the module.
        nets: how many there are, with the two constant ones in front.
        inputs: nets of each input port but the clock, lowest bit first.
        outputs: nets of each output port.
        signed: the ports that are signed.
        clock: its net; None where nothing is clocked.
        instances: the cells.
        drivers: the cell and its pin that drive a net; input ports are driven from outside.
        gates: what they compute.
        flip_flops: what they keep.
    """

    name: str
    nets: int
    inputs: dict[str, Nets]
    outputs: dict[str, Nets]
    signed: frozenset[str]
    clock: int | None
    instances: tuple[Instance, ...]
    drivers: dict[int, tuple[Instance, str]]
    gates: Gates
    flip_flops: FlipFlops

    @property
    def area(self) -> float:
        """Of all cells, in the library's unit."""
        return sum(instance.cell.area for instance in self.instances)

    @property
    def leakage_nw(self) -> float:
        """Of all cells."""
        return sum(instance.cell.leakage_nw for instance in self.instances)


def read_netlist(path: Path, name: str, library: Library) -> Netlist:
    """The netlist that yosys wrote as JSON.

    Raises:
        UserError: it has cells that are not the library's or not understood, several clocks, or
            a loop without a flip-flop.
    """
    module = json.loads(path.read_text())["modules"][name]
    numbers: dict[int, int] = {}

    def net(bit: int | str) -> int:
        if isinstance(bit, str):
            return _CONSTANTS[bit]
        return numbers.setdefault(bit, len(numbers) + ONE + 1)

    instances = tuple(_instances(module["cells"].values(), net, library))
    clock = _clock(name, instances)
    ports = {
        port: (found["direction"], np.array([net(bit) for bit in found["bits"]], np.int32))
        for port, found in module["ports"].items()
    }
    return Netlist(
        name,
        len(numbers) + ONE + 1,
        {
            port: nets
            for port, (direction, nets) in ports.items()
            if direction == "input" and clock not in nets
        },
        {port: nets for port, (direction, nets) in ports.items() if direction == "output"},
        frozenset(port for port, found in module["ports"].items() if found.get("signed")),
        clock,
        instances,
        {
            net: (instance, pin)
            for instance in instances
            for pin, net in instance.nets.items()
            if instance.cell.pins[pin].is_output
        },
        _gates(name, instances),
        _flip_flops(instances),
    )


def _instances(cells: Iterable[Any], net: Any, library: Library) -> Iterable[Instance]:
    for found in cells:
        cell = library.cell(found["type"])
        nets = {pin: net(bits[0]) for pin, bits in found["connections"].items() if bits}
        yield Instance(cell, nets)


def _clock(name: str, instances: tuple[Instance, ...]) -> int | None:
    """The net that clocks every flip-flop."""
    clocks = {
        (instance.nets[state.clock], state.is_falling)
        for instance in instances
        if (state := instance.cell.flip_flop) is not None
    }
    if len(clocks) > 1:
        raise UserError(
            f"the netlist of '{name}' has {len(clocks)} clocks or clock edges, but only one is "
            "simulated; give the module one clock"
        )
    return next(iter(clocks))[0] if clocks else None


def _gates(name: str, instances: tuple[Instance, ...]) -> Gates:
    """Outputs of combinational cells in an order in which they can be evaluated."""
    driven: dict[int, tuple[list[int], int]] = {}
    for instance in instances:
        cell = instance.cell
        if cell.flip_flop is not None:
            continue
        read = [instance.nets[pin] for pin in cell.input_names]
        for pin, net in instance.nets.items():
            if cell.pins[pin].is_output:
                driven[net] = read, cell.truth(pin)
    order = TopologicalSorter(
        {net: [each for each in read if each in driven] for net, (read, _) in driven.items()}
    )
    try:
        sorted_nets = list(order.static_order())
    except CycleError as error:
        raise UserError(
            f"the netlist of '{name}' has a loop without a flip-flop; correct the Verilog"
        ) from error
    reads = [driven[net][0] for net in sorted_nets]
    return Gates(
        np.array(sorted_nets, np.int32),
        np.array([each for read in reads for each in read], np.int32),
        np.cumsum([0, *(len(read) for read in reads)]).astype(np.int32),
        np.array([driven[net][1] for net in sorted_nets], np.uint64),
    )


def _flip_flops(instances: tuple[Instance, ...]) -> FlipFlops:
    data, output, is_inverted = [], [], []
    for instance in instances:
        state = instance.cell.flip_flop
        if state is None:
            continue
        for pin, net in instance.nets.items():
            if instance.cell.pins[pin].is_output:
                data.append(instance.nets[state.data])
                output.append(net)
                is_inverted.append(instance.cell.pins[pin].function != state.variables[0])
    return FlipFlops(
        np.array(data, np.int32), np.array(output, np.int32), np.array(is_inverted, np.bool_)
    )
