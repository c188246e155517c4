"""A unit to be synthesized, and a trial: operands on its ports and what must come out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.rtl.library import sources
from accelerators.synthesis.simulator import STREAMS
from accelerators.synthesis.yosys import Design

Integers = NDArray[np.int64]

TOP = "unit"
"""Name of the module that gives a unit its parameters and ties what never changes."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A module of `accelerators.rtl` with given widths.

    Attributes:
        name: of the unit and its widths.
        module: that it is an instance of.
        parameters: of the instance.
        inputs: width of each port that operands or control come from, but for the clock.
        connections: Verilog expression of each input port of the module.
        outputs: width of each output port.
        is_clocked: whether it has registers.
    """

    name: str
    module: str
    parameters: Mapping[str, int | str]
    inputs: Mapping[str, int]
    connections: Mapping[str, str]
    outputs: Mapping[str, int]
    is_clocked: bool = True

    @property
    def design(self) -> Design:
        """What yosys is given."""
        return Design(TOP, sources(self.module), self._text())

    def _text(self) -> str:
        ports = ["input clock"] if self.is_clocked else []
        ports += [f"input [{bits - 1}:0] {port}" for port, bits in self.inputs.items()]
        ports += [f"output [{bits - 1}:0] {port}" for port, bits in self.outputs.items()]
        parameters = [
            f'.{name}("{value}")' if isinstance(value, str) else f".{name}({value})"
            for name, value in self.parameters.items()
        ]
        connections = [".clock(clock)"] if self.is_clocked else []
        connections += [f".{port}({expression})" for port, expression in self.connections.items()]
        connections += [f".{port}({port})" for port in self.outputs]
        return (
            f"module {TOP}({', '.join(ports)});\n"
            f"  {self.module} #({', '.join(parameters)}) it ({', '.join(connections)});\n"
            "endmodule\n"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What an output port must be in some cycles.

    Attributes:
        port: of the unit.
        cycles: int64 [count].
        integers: [count, streams], of the port's bits without sign.
    """

    port: str
    cycles: Integers
    integers: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Operands of 64 streams on a unit's ports.

    Attributes:
        stimulus: of each input port, [cycles, streams].
        warm_up: cycles in front that are not measured.
        operations: of a stream in a cycle, such as multiply-accumulates; a mean.
        expected: what must come out.
    """

    stimulus: dict[str, Integers]
    warm_up: int
    operations: float
    expected: tuple[Expected, ...]

    def mismatches(self, outputs: Mapping[str, Integers]) -> int:
        """How many integers of the outputs are not what they must be."""
        return sum(
            int(np.count_nonzero(outputs[each.port][each.cycles] != each.integers))
            for each in self.expected
        )


def low_bits(integers: Integers, bits: int) -> Integers:
    """Integers as a port of so many bits has them, without sign."""
    return integers & ((1 << bits) - 1)


def lane_ports(name: str, lanes: int) -> list[str]:
    """A port for each lane, since all of them together may not fit an integer."""
    return [f"{name}_{lane}" for lane in range(lanes)]


def joined(ports: Sequence[str]) -> str:
    """The Verilog expression of ports side by side, the first one lowest."""
    return f"{{{', '.join(reversed(ports))}}}"


def for_all_streams(values: NDArray[np.generic]) -> Integers:
    """The same for all streams, [cycles] to [cycles, streams]."""
    return np.tile(values.astype(np.int64)[:, np.newaxis], (1, STREAMS))
