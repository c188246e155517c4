"""Icarus Verilog as a referee: what a design puts out, and toggles from its value change dump."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis.cells import Cell
from accelerators.synthesis.netlist import Netlist

PERIOD = 5000
"""Time units of a cycle, far more than anything takes to settle."""

Stimulus = Mapping[str, NDArray[np.int64]]
"""Of each input port but the clock, [cycles]."""


@dataclass(frozen=True)
class Tested:
    """A module under test.

    Attributes:
        name: of the module; it has no other ports than its netlist.
        netlist: for the ports.
        sources: Verilog of the module and of all that it needs.
        options: of Icarus.
    """

    name: str
    netlist: Netlist
    sources: Sequence[Path]
    options: tuple[str, ...] = ()


def outputs(tested: Tested, stimulus: Stimulus, folder: Path) -> dict[str, list[int | None]]:
    """What each output port is at the end of each cycle; None where bits are unknown."""
    ports = tuple(tested.netlist.outputs)
    shown = " ".join(["%b"] * len(ports))
    show = f'$display("{shown}", {", ".join(ports)});'
    lines = _run(tested, stimulus, folder, show, dumped=False)
    rows = [[int(word, 2) if set(word) <= {"0", "1"} else None for word in line] for line in lines]
    return {port: [row[place] for row in rows] for place, port in enumerate(ports)}


def toggles(tested: Tested, stimulus: Stimulus, warm_up: int, folder: Path) -> float:
    """Toggles of all nets but the clock in a cycle, without those of the cycles in front."""
    _run(tested, stimulus, folder, "", dumped=True)
    cycles = len(next(iter(stimulus.values())))
    return _count(folder / "bench.vcd", (warm_up + 1) * PERIOD) / (cycles - warm_up)


def with_unit_delays(netlist: Netlist) -> str:
    """Cells whose outputs follow one unit of time after every change of an input."""
    cells = {instance.cell.name: instance.cell for instance in netlist.instances}
    return "".join(_model(cell) for cell in cells.values())


def with_delays(netlist: Netlist, delays: Mapping[int, Sequence[int]]) -> str:
    """The netlist itself, every net with a delay of its own that swallows shorter pulses.

    Args:
        netlist: what to write.
        delays: of a net's fall and rise.
    """
    ports = [f"input [{len(nets) - 1}:0] {port}" for port, nets in netlist.inputs.items()]
    ports += ["input clock"] if netlist.clock is not None else []
    lines = [f"wire n{net};" for net in range(netlist.nets)]
    lines += ["assign n0 = 0, n1 = 1;"]
    for port, nets in netlist.inputs.items():
        lines += [_after(delays, int(net), f"{port}[{bit}]") for bit, net in enumerate(nets)]
    flops = zip(netlist.flip_flops.output, netlist.flip_flops.data, strict=True)
    for net, data in flops:
        lines.append(f"reg q{net} = 0; always @(posedge clock) q{net} <= n{data};")
        lines.append(_after(delays, int(net), f"q{net}"))
    gates = netlist.gates
    for place, net in enumerate(gates.output):
        read = gates.inputs[gates.first_input[place] : gates.first_input[place + 1]]
        row = ", ".join(f"n{each}" for each in reversed(read))
        table = f"{1 << len(read)}'b{gates.truth[place]:0{1 << len(read)}b}"
        lines.append(_after(delays, int(net), f"{table} >> {{{row}}}"))
    return f"module {netlist.name}({', '.join(ports)});\n" + "\n".join(lines) + "\nendmodule\n"


def _after(delays: Mapping[int, Sequence[int]], net: int, value: str) -> str:
    fall, rise = delays[net]
    return f"assign #({rise}, {fall}) n{net} = {value};"


def _model(cell: Cell) -> str:
    found = [pin for pin in cell.pins.values() if pin.is_output]
    ports = ", ".join(
        [f"input {name}" for name in cell.input_names] + [f"output reg {pin.name}" for pin in found]
    )
    if cell.flip_flop is not None:
        state, (output,) = cell.flip_flop, found
        body = f"initial {output.name} = 0;\n"
        body += f"always @(posedge {state.clock}) {output.name} <= {state.data};"
    else:
        rows = 1 << len(cell.input_names)
        body = (
            f"wire [{len(cell.input_names) - 1}:0] row = {{{', '.join(cell.input_names[::-1])}}};\n"
        )
        for pin in found:
            table = f"{rows}'b{cell.truth(pin.name):0{rows}b}"
            body += f"wire [{rows - 1}:0] table_{pin.name} = {table};\n"
            body += f"always @(row) {pin.name} <= #1 table_{pin.name}[row];\n"
    return f"module {cell.name}({ports});\n{body}\nendmodule\n"


def _run(
    tested: Tested, stimulus: Stimulus, folder: Path, show: str, *, dumped: bool
) -> list[list[str]]:
    bench, program = folder / "bench.v", folder / "bench.vvp"
    bench.write_text(_bench(tested, stimulus, folder, show, dumped))
    sources = [str(path) for path in (bench, *tested.sources)]
    subprocess.run(
        ["iverilog", "-g2005", *tested.options, "-o", str(program), *sources],
        check=True,
        capture_output=True,
    )
    ran = subprocess.run(["vvp", "-n", str(program)], check=True, capture_output=True, text=True)
    return [line.split() for line in ran.stdout.splitlines() if not line.startswith("VCD")]


def _bench(tested: Tested, stimulus: Stimulus, folder: Path, show: str, dumped: bool) -> str:
    netlist, cycles = tested.netlist, len(next(iter(stimulus.values())))
    declarations, changes = [], []
    for port, values in stimulus.items():
        bits = len(netlist.inputs[port])
        words = folder / f"{port}.hex"
        words.write_text("\n".join(f"{int(value) & ((1 << bits) - 1):x}" for value in values))
        declarations.append(f"reg [{bits - 1}:0] {port} = 0, {port}_words [0:{cycles - 1}];")
        declarations.append(f'initial $readmemh("{words}", {port}_words);')
        changes.append(f"{port} <= {port}_words[cycle];")
    connected = [*stimulus, *(["clock"] if netlist.clock is not None else [])]
    if show:
        connected += netlist.outputs
        declarations += [
            f"wire [{len(nets) - 1}:0] {port};" for port, nets in netlist.outputs.items()
        ]
    dump = f'$dumpfile("{folder / "bench.vcd"}"); $dumpvars(1, tested);' if dumped else ""
    newline = "\n"
    return f"""`timescale 1ns/1ps
module bench;
reg clock = 0;
integer cycle;
{newline.join(declarations)}
{tested.name} tested({", ".join(f".{port}({port})" for port in connected)});
initial begin
  {dump}
  #{PERIOD};
  for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin
    clock = 1;
    {newline.join(changes)}
    #{PERIOD // 2} clock = 0;
    #{PERIOD - PERIOD // 2};
    {show}
  end
  $finish;
end
endmodule
"""


def _count(path: Path, start: int) -> int:
    """Bits that change in a dump from a time on.

    Left out are the clock, and registers beside the nets that they drive.
    """
    time, counted = 0, 0
    scale = 1000  # picoseconds
    values: dict[str, str] = {}
    widths: dict[str, int] = {}
    for words in _lines(path):
        if words[0] == "$var" and words[4] != "clock" and not words[4].startswith("q"):
            widths[words[3]] = int(words[2])
        elif words[0][0] == "#":
            time = int(words[0][1:])
        elif words[0][0] in "01xzb":
            first = words[0]
            text, key = (first[1:], words[1]) if first[0] == "b" else (first[0], first[1:])
            if key not in widths:
                continue
            value = text.rjust(widths[key], "0" if text[0] == "1" else text[0])
            if key in values and time >= start * scale:
                pairs = zip(values[key], value, strict=True)
                counted += sum({old, new} == {"0", "1"} for old, new in pairs)
            values[key] = value
    return counted


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open() as file:
        yield from filter(None, map(str.split, file))
