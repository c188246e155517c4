"""Modules side by side in one design, so that many are built at once; each has a stream in and one
out, whose items are its ports put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.rtl.design import Design, Stream
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.outcome import Job, Outcome
from hwsim.verify.rtl.verilator import VerilatorSimulation
from hwsim.verify.rtl.words import Words, word_count, words_of

Wide = NDArray[np.int64]
Ports = Mapping[str, tuple[int, int]]
"""Elements and bits of an element by name; the first is the lowest part of an item."""

Simulator = type[VerilatorSimulation] | type[IcarusSimulation]

RTL = Path(__file__).parents[2] / "accelerators" / "rtl"


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A module with its parameters.

    Attributes:
        name: of its streams.
        module: which module.
        takes: the port that says that there is an item.
        inputs: what an item is made of.
        gives: the port that says that there is a result.
        outputs: what a result is made of.
        ready: the port that says that an item is taken, if it has one.
        parameters: by name.
        others: inputs that are ports of their own, with the port that says that they are valid.
    """

    name: str
    module: str
    takes: str
    inputs: Ports
    gives: str
    outputs: Ports
    ready: str | None = None
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    others: tuple[str, Ports] | None = None

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Inputs."""
        found = [Stream(self.name, width(self.inputs), has_ready=self.ready is not None)]
        if self.others:
            found.append(Stream(f"{self.name}_other", width(self.others[1]), has_ready=False))
        return tuple(found)

    @property
    def result(self) -> Stream:
        """The output."""
        return Stream(f"{self.name}_result", width(self.outputs))


def width(ports: Ports) -> int:
    """Bits of an item."""
    return sum(elements * bits for elements, bits in ports.values())


def items(ports: Ports, columns: Mapping[str, Sequence[object] | NDArray[np.generic]]) -> Words:
    """Items from integers of any size.

    Args:
        ports: what an item is made of.
        columns: of each, [items] or [items, elements].
    """
    count = len(next(iter(columns.values())))
    whole, total = [0] * count, 0
    for name, (elements, bits) in ports.items():
        given = np.asarray(columns[name], object)
        column = np.broadcast_to(given if given.ndim == 2 else given[:, None], (count, elements))
        for element in range(elements):
            for item in range(count):
                whole[item] |= (int(column[item, element]) & ((1 << bits) - 1)) << total
            total += bits
    packed = [words_of(item, total) for item in whole]
    return np.array(packed, np.uint32).reshape(count, word_count(total))


def integers(ports: Ports, words: Words, name: str, *, is_signed: bool = True) -> Wide:
    """The integers of one port, [items, elements]."""
    elements, bits = ports[name]
    place = 0
    for other, (count, each) in ports.items():
        if other == name:
            break
        place += count * each
    whole = [int.from_bytes(item.astype("<u4").tobytes(), "little") >> place for item in words]
    sign = 1 << (bits - 1) if is_signed else 0
    parts = [
        [((item >> bits * e & ((1 << bits) - 1)) ^ sign) - sign for e in range(elements)]
        for item in whole
    ]
    return np.array(parts, np.int64).reshape(len(words), elements)


def side_by_side(
    units: Sequence[Unit], folder: Path, more: str = "", sources: Path = RTL
) -> Design:
    """A design of all units, each with streams of its own.

    Args:
        units: of different names.
        folder: where the module that holds them is written.
        more: text of further modules.
        sources: folder of the modules.
    """
    top = folder / "side_by_side.v"
    ports = ["input clock", "input reset"]
    for unit in units:
        for stream in unit.streams:
            ports += [f"input {stream.name}_valid", f"input [{stream.bits - 1}:0] {stream.name}"]
            ports += [f"output {stream.name}_ready"] if stream.has_ready else []
        result = unit.result
        ports += [f"output {result.name}_valid", f"output [{result.bits - 1}:0] {result.name}"]
    body = "".join(map(_instance, units))
    top.write_text(
        "module side_by_side (\n  " + ",\n  ".join(ports) + f"\n);\n{body}endmodule\n{more}",
        encoding="ascii",
    )
    return Design(
        "side_by_side",
        (top, *sorted(sources.glob("*.v"))),
        inputs=tuple(stream for unit in units for stream in unit.streams),
        outputs=tuple(unit.result for unit in units),
    )


def _instance(unit: Unit) -> str:
    parameters = [
        f".{name}({value})" if isinstance(value, int) else f'.{name}("{value}")'
        for name, value in unit.parameters.items()
    ]
    result = unit.result.name
    wires = [".clock(clock)", ".reset(reset)", f".{unit.takes}({unit.name}_valid)"]
    wires += _slices(unit.inputs, unit.name)
    wires += [f".{unit.ready}({unit.name}_ready)"] if unit.ready else []
    if unit.others:
        wires += [f".{unit.others[0]}({unit.name}_other_valid)"]
        wires += _slices(unit.others[1], f"{unit.name}_other")
    wires += [f".{unit.gives}({result}_valid)", *_slices(unit.outputs, result)]
    header = f"  {unit.module} #({', '.join(parameters)}) {unit.name}_unit (\n    "
    return header + ",\n    ".join(wires) + "\n  );\n"


def _slices(ports: Ports, name: str) -> list[str]:
    found, place = [], 0
    for port, (elements, bits) in ports.items():
        found.append(f".{port}({name}[{place} +: {elements * bits}])")
        place += elements * bits
    return found


def job_for(design: Design, streams: Mapping[str, Words], wanted: Mapping[str, int]) -> Job:
    """A job in which units that are not named have nothing to do."""
    every = {
        stream.name: np.zeros((0, word_count(stream.bits)), np.uint32) for stream in design.inputs
    }
    most = max(len(given) for given in streams.values())
    return Job(
        {**every, **streams},
        {**dict.fromkeys(design.output_names, 0), **wanted},
        limit_cycles=100 * most + 1000,
    )


def check_clean(outcome: Outcome, first: int = 0) -> None:
    """Assert that no valid or ready bit and no result from the ``first`` on was unknown."""
    assert [bit for bit in outcome.unknown if bit.index is None or bit.index >= first] == []
