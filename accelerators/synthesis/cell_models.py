"""Verilog of a library's cells, so that a mapped netlist runs in any Verilog simulator."""

from accelerators.synthesis.boolean import verilog_expression
from accelerators.synthesis.cells import Cell
from accelerators.synthesis.netlist import Netlist


def cell_models(netlist: Netlist, start: int | None = None) -> str:
    """Modules of all cells of a netlist, without delays, by their functions in the library.

    Args:
        netlist: of which cells are wanted.
        start: what flip-flops hold at first, 0 or 1; None for what is not known. A simulator may
            then take for unknown what gates settle whatever they begin with.
    """
    cells = {instance.cell.name: instance.cell for instance in netlist.instances}
    return "\n".join(_model(cell, start) for _, cell in sorted(cells.items()))


def _model(cell: Cell, start: int | None) -> str:
    outputs = [pin.name for pin in cell.pins.values() if pin.is_output]
    ports = [f"input {name}" for name in cell.input_names]
    ports += [f"output {name}" for name in outputs]
    state = cell.flip_flop
    lines = []
    if state is not None:
        edge = "negedge" if state.is_falling else "posedge"
        lines.append("reg state;" if start is None else f"reg state = {start};")
        lines.append(f"always @({edge} {state.clock}) state <= {state.data};")
    for name in outputs:
        if state is not None:
            inverts = cell.pins[name].function != state.variables[0]
            lines.append(f"assign {name} = {'~' if inverts else ''}state;")
            continue
        function = verilog_expression(cell.pins[name].function, cell.input_names)
        lines.append(f"assign {name} = {function};")
    body = "\n".join(f"  {line}" for line in lines)
    return f"module {cell.name} ({', '.join(ports)});\n{body}\nendmodule\n"
