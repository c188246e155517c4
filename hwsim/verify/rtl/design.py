"""A Verilog design as co-simulation sees it: its sources, parameters and ports.

Conventions of its ports: an input stream has ``NAME``, ``NAME_valid`` and, unless it takes an item
in every valid cycle, ``NAME_ready``; an output stream has ``NAME`` and ``NAME_valid``. A stream of
several lanes has a valid (and ready) bit for each, lane 0 lowest, and each lane runs by itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quant.common.errors import UserError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


@dataclass(frozen=True, slots=True)
class Setting:
    """An input that is constant while a job runs.

    Attributes:
        name: of the port.
        bits: its width.
    """

    name: str
    bits: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Items that pass one a cycle at most.

    Attributes:
        name: of its data port.
        bits: of an item.
        has_ready: of an input, whether the design says when it takes an item.
        lanes: how many independent streams share the ports, side by side.
    """

    name: str
    bits: int
    has_ready: bool = True
    lanes: int = 1

    @property
    def lane_names(self) -> tuple[str, ...]:
        """One name a lane: the stream's own, or ``NAME[lane]`` of several."""
        if self.lanes == 1:
            return (self.name,)
        return tuple(f"{self.name}[{lane}]" for lane in range(self.lanes))


@dataclass(frozen=True, slots=True)
class Design:
    """A module to simulate.

    Attributes:
        top: its name.
        sources: Verilog files, those of the modules it instantiates among them; what they include
            is looked for beside them.
        inputs: streams it takes.
        outputs: streams it gives.
        settings: inputs that are constant while a job runs.
        parameters: integers and strings by name.
        clock: port; everything happens at its rising edge.
        reset: port, or None without any.
        reset_is_low: whether 0 resets.
        counts_from: the input stream whose first transfer is cycle 0; any's when None.
    """

    top: str
    sources: tuple[Path, ...]
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    settings: tuple[Setting, ...] = ()
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    clock: str = "clock"
    reset: str | None = "reset"
    reset_is_low: bool = False
    counts_from: str | None = None

    def __post_init__(self) -> None:
        for name in (self.top, *self.ports, *self.parameters):
            if not _IDENTIFIER.fullmatch(name):
                raise UserError(
                    f"design '{self.top}': expected a Verilog identifier, found '{name}'; rename it"
                )
        if len(set(self.ports)) != len(self.ports):
            twice = next(name for name in self.ports if self.ports.count(name) > 1)
            raise UserError(f"design '{self.top}': port '{twice}' is given twice; give it once")
        if self.counts_from is not None and self.counts_from not in self.input_names:
            raise UserError(
                f"design '{self.top}': expected an input stream to count cycles from, found "
                f"'{self.counts_from}'; give one of {', '.join(self.input_names)}"
            )

    @property
    def input_lanes(self) -> tuple[tuple[str, Stream], ...]:
        """Every lane of every input: its name, and the stream it is of."""
        return tuple((name, stream) for stream in self.inputs for name in stream.lane_names)

    @property
    def output_lanes(self) -> tuple[tuple[str, Stream], ...]:
        """Every lane of every output."""
        return tuple((name, stream) for stream in self.outputs for name in stream.lane_names)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Of every lane of every input."""
        return tuple(name for name, _ in self.input_lanes)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Of every lane of every output."""
        return tuple(name for name, _ in self.output_lanes)

    @property
    def source_paths(self) -> tuple[Path, ...]:
        """The sources as absolute paths."""
        return tuple(source.resolve() for source in self.sources)

    @property
    def include_options(self) -> list[str]:
        """Options by which simulators find included files."""
        folders = dict.fromkeys(source.parent for source in self.source_paths)
        return [f"-I{folder}" for folder in folders]

    @property
    def headers(self) -> tuple[Path, ...]:
        """Files that sources may include."""
        folders = dict.fromkeys(source.parent for source in self.source_paths)
        found = [path for folder in folders for path in folder.glob("*.*h")]
        return tuple(sorted(path for path in found if path.suffix in (".vh", ".svh")))

    @property
    def ports(self) -> tuple[str, ...]:
        """Names of all ports of the module."""
        names = [self.clock, *([self.reset] if self.reset else [])]
        names += [setting.name for setting in self.settings]
        for stream in self.inputs:
            names += [stream.name, f"{stream.name}_valid"]
            names += [f"{stream.name}_ready"] if stream.has_ready else []
        for stream in self.outputs:
            names += [stream.name, f"{stream.name}_valid"]
        return tuple(names)


def numbered_ports(design: Design) -> tuple[dict[str, str], dict[str, str]]:
    """A design's ports as numbers: no name of a port is then a word of another language.

    Settings are ``setting_0`` and so on; lanes of inputs ``input_0``, ``input_0_valid`` and
    ``input_0_ready``; lanes of outputs ``output_0`` and ``output_0_valid``.

    Returns:
        What to connect to each of the module's ports, and of each number the name it stands for.
    """
    wires = {design.clock: "clock"}
    names: dict[str, str] = {}
    if design.reset:
        wires[design.reset] = "~reset" if design.reset_is_low else "reset"
    for i, setting in enumerate(design.settings):
        wires[setting.name] = f"setting_{i}"
        names[f"setting_{i}"] = setting.name
    for kind, streams in (("input", design.inputs), ("output", design.outputs)):
        first = 0
        for stream in streams:
            numbers = [f"{kind}_{first + lane}" for lane in range(stream.lanes)]
            names |= dict(zip(numbers, stream.lane_names, strict=True))
            first += stream.lanes
            wires[stream.name] = _joined(numbers)
            wires[f"{stream.name}_valid"] = _joined([f"{number}_valid" for number in numbers])
            if kind == "input" and stream.has_ready:
                wires[f"{stream.name}_ready"] = _joined([f"{number}_ready" for number in numbers])
    return wires, names


def _joined(names: list[str]) -> str:
    """Lanes side by side, lane 0 lowest."""
    return names[0] if len(names) == 1 else "{" + ", ".join(reversed(names)) + "}"


def instance(design: Design, name: str, connections: Mapping[str, str]) -> str:
    """Verilog that instantiates a design with its parameters.

    Args:
        design: the module.
        name: of the instance.
        connections: an expression for each of its ports.
    """
    values = [f"    .{key}({_literal(value)})" for key, value in design.parameters.items()]
    parameters = " #(\n" + ",\n".join(values) + "\n  )" if values else ""
    wires = ",\n".join(f"    .{port}({connections[port]})" for port in design.ports)
    return f"  {design.top}{parameters} {name} (\n{wires}\n  );\n"


def _literal(value: int | str) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def vector(bits: int) -> str:
    """The range of a port or register of some bits."""
    return f"[{bits - 1}:0]"
