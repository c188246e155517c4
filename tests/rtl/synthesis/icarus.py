"""Icarus Verilog as a referee: toggles of a mapped netlist, from its value change dump."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis.netlist import Netlist

PERIOD = 1000
"""Time units of a cycle, far more than anything takes to settle."""


@dataclass(frozen=True)
class CellModels:
    """Verilog of the cells a netlist is made of; `options` are Icarus's."""

    path: Path
    options: tuple[str, ...] = ()


def unit_delay_models(netlist: Netlist, path: Path) -> CellModels:
    """Cells whose outputs follow one unit of time after every change of an input."""
    cells = {instance.cell.name: instance.cell for instance in netlist.instances}
    path.write_text("".join(_model(cell) for cell in cells.values()))
    return CellModels(path)


def _model(cell) -> str:
    outputs = [pin for pin in cell.pins.values() if pin.is_output]
    ports = ", ".join(
        [f"input {name}" for name in cell.input_names]
        + [f"output reg {pin.name}" for pin in outputs]
    )
    if cell.flip_flop is not None:
        (output,) = outputs
        state = cell.flip_flop
        body = f"initial {output.name} = 0;\n"
        body += f"always @(posedge {state.clock}) {output.name} <= {state.data};"
    else:
        together = ", ".join(reversed(cell.input_names))
        rows = 1 << len(cell.input_names)
        body = f"wire [{len(cell.input_names) - 1}:0] row = {{{together}}};\n"
        for pin in outputs:
            table = f"{rows}'b{cell.truth(pin.name):0{rows}b}"
            body += f"wire [{rows - 1}:0] table_{pin.name} = {table};\n"
            body += f"always @(row) {pin.name} <= #1 table_{pin.name}[row];\n"
    return f"module {cell.name}({ports});\n{body}\nendmodule\n"


def toggles(
    netlist: Netlist,
    verilog: Path,
    models: CellModels,
    stimulus: Mapping[str, NDArray[np.int64]],
    warm_up: int,
    folder: Path,
) -> float:
    """Toggles of all nets but the clock in a cycle, between the cycles after the warm-up.

    Args:
        netlist: for its ports.
        verilog: the netlist itself.
        models: of its cells.
        stimulus: of each input port, [cycles].
        warm_up: cycles that do not count.
        folder: for files.
    """
    cycles = len(next(iter(stimulus.values())))
    bench = folder / "bench.v"
    bench.write_text(_bench(netlist, stimulus, cycles, folder))
    program = folder / "bench.vvp"
    sources = [str(path) for path in (bench, verilog, models.path)]
    subprocess.run(
        ["iverilog", "-g2005", *models.options, "-o", str(program), *sources],
        check=True,
        capture_output=True,
    )
    subprocess.run(["vvp", "-n", str(program)], check=True, capture_output=True, cwd=folder)
    counted = _count(folder / "bench.vcd", (warm_up + 1) * PERIOD)
    return counted / (cycles - warm_up)


def _bench(
    netlist: Netlist, stimulus: Mapping[str, NDArray[np.int64]], cycles: int, folder: Path
) -> str:
    declarations, changes = [], []
    for port, values in stimulus.items():
        bits = len(netlist.inputs[port])
        words = folder / f"{port}.hex"
        words.write_text("\n".join(f"{int(value) & ((1 << bits) - 1):x}" for value in values))
        declarations.append(f"reg [{bits - 1}:0] {port} = 0, {port}_words [0:{cycles - 1}];")
        declarations.append(f'initial $readmemh("{words}", {port}_words);')
        changes.append(f"{port} <= {port}_words[cycle];")
    connections = [f".{port}({port})" for port in stimulus]
    connections += [".clock(clock)"] if netlist.clock is not None else []
    return f"""`timescale 1ns/1ps
module bench;
reg clock = 0;
integer cycle;
{chr(10).join(declarations)}
{netlist.name} tested({", ".join(connections)});
initial begin
  $dumpfile("{folder / "bench.vcd"}");
  $dumpvars(1, tested);
  #{PERIOD};
  for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin
    clock = 1;
    {chr(10).join(changes)}
    #{PERIOD // 2} clock = 0;
    #{PERIOD - PERIOD // 2};
  end
  $finish;
end
endmodule
"""


def _count(path: Path, start: int) -> int:
    """Bits that change in a dump from a time on, the clock left out."""
    scale, time, counted = 1, 0, 0
    values: dict[str, str] = {}
    widths: dict[str, int] = {}
    clocks = set()
    lines = iter(path.read_text().splitlines())
    for line in lines:
        words = line.split()
        if line.startswith("$timescale"):
            text = line if len(words) > 1 else next(lines)
            scale = {"1ps": 1000, "10ps": 100, "1ns": 1}[text.split()[-1 if len(words) == 1 else 1]]
        elif line.startswith("$var"):
            widths[words[3]] = int(words[2])
            if words[4] == "clock":
                clocks.add(words[3])
        elif line.startswith("#"):
            time = int(line[1:])
        elif (line and line[0] in "01xz") or line.startswith("b"):
            text, key = (words[0][1:], words[1]) if line[0] == "b" else (line[0], line[1:])
            value = text.rjust(widths[key], "0" if text[0] == "1" else text[0])
            if key in values and key not in clocks and time >= start * scale:
                pairs = zip(values[key], value, strict=True)
                counted += sum({old, new} == {"0", "1"} for old, new in pairs)
            values[key] = value
    return counted
