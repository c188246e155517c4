"""An accelerator's Verilog: a top module that instantiates its units with its parameters."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accelerators.catalog import accelerator_yaml
from accelerators.rtl.header import Port, ports_of
from accelerators.rtl.library import FOLDER, sources
from accelerators.rtl.parameters import Parameters, array_module
from accelerators.vector_unit import ACCUMULATOR_BITS, LANE_BITS

if TYPE_CHECKING:
    from accelerators.schema import Accelerator

TABLE_BITS = 8
"""Of the codes that lookup tables of the vector unit are indexed with."""

_SHARED = ("clock", "reset")


@dataclass(frozen=True, slots=True)
class Unit:
    """One instance in the top module; its ports get the unit's name before their own.

    Attributes:
        name: of the unit.
        module: of this folder.
        parameters: of the instance.
    """

    name: str
    module: str
    parameters: Parameters

    @property
    def ports(self) -> tuple[Port, ...]:
        """All but clock and reset."""
        found = ports_of(FOLDER / f"{self.module}.v", self.parameters)
        return tuple(port for port in found if port.name not in _SHARED)


def units_of(accelerator: "Accelerator", scales: int = 16) -> tuple[Unit, ...]:
    """The units of an accelerator that there is Verilog of.

    Args:
        accelerator: the machine.
        scales: as in `array_module`.

    Raises:
        UserError: there is no Verilog of its array or of its requantizers' mode.
    """
    rounding = accelerator.requantizer.rounding
    array = array_module(accelerator.array, rounding, scales)
    lanes = accelerator.vector_unit.lanes
    vector: Parameters = {
        "LANES": lanes,
        "TABLES": min(lanes, accelerator.sram.banks),
        "ELEMENT_BITS": LANE_BITS,
        "TABLE_BITS": TABLE_BITS,
        "ROUNDING": rounding,
    }
    return (
        Unit("array", array.name, array.parameters),
        Unit("vector", "vector_unit", vector),
        Unit("statistics", "statistics_unit", {"LANES": lanes, "SUM_BITS": ACCUMULATOR_BITS}),
        Unit("normalizer", "normalizer", {}),
    )


def top_name(accelerator: "Accelerator") -> str:
    """What the top module is called: the accelerator's name as an identifier that is no keyword."""
    words = re.sub(r"\W+", "_", accelerator.name, flags=re.ASCII).strip("_")
    return f"{words}_top" if words[:1].isalpha() else f"accelerator_{words}_top"


def top_level(accelerator: "Accelerator", scales: int = 16) -> str:
    """The text of the top module.

    Raises:
        UserError: as `units_of`.
    """
    units = units_of(accelerator, scales)
    ports = ["    input clock,\n    input reset"]
    ports += [
        f"    {port.direction} {_range(port)}{unit.name}_{port.name}"
        for unit in units
        for port in unit.ports
    ]
    comment = (
        f"// {accelerator.name}: {accelerator.description}.\n"
        "// Written by `hwsim export --to rtl` from the accelerator's configuration; docs/rtl.md\n"
        "// says what the ports carry, and when. Memories, DMA and control are not part of it.\n"
    )
    body = "\n".join(_instance(unit) for unit in units)
    joined = ",\n".join(ports)
    return f"{comment}module {top_name(accelerator)} (\n{joined}\n);\n{body}endmodule\n"


def _range(port: Port) -> str:
    signed = "signed " if port.is_signed else ""
    return signed + (f"[{port.bits - 1}:0] " if port.bits > 1 else "")


def _instance(unit: Unit) -> str:
    parameters = ",\n".join(
        f"      .{name}({_literal(value)})" for name, value in unit.parameters.items()
    )
    names = [(name, name) for name in _SHARED]
    names += [(port.name, f"{unit.name}_{port.name}") for port in unit.ports]
    connections = ",\n".join(f"      .{port}({wire})" for port, wire in names)
    chosen = f" #(\n{parameters}\n  )" if parameters else ""
    return f"  {unit.module}{chosen} {unit.name} (\n{connections}\n  );\n"


def _literal(value: int | str) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def rtl_files(accelerator: "Accelerator", scales: int = 16) -> Mapping[str, str]:
    """Everything that makes up an accelerator's Verilog, by file name.

    Raises:
        UserError: as `units_of`.
    """
    return dict(_files(accelerator, scales))


def _files(accelerator: "Accelerator", scales: int) -> Iterator[tuple[str, str]]:
    units = units_of(accelerator, scales)
    needed = sources(*(unit.module for unit in units))
    top = f"{top_name(accelerator)}.v"
    for path in needed:
        yield path.name, path.read_text()
    yield top, top_level(accelerator, scales)
    yield "accelerator.yaml", accelerator_yaml(accelerator)
    yield "README.md", _readme(accelerator, units)
    yield "files.f", "".join(f"{name}\n" for name in (*(path.name for path in needed), top))


def _readme(accelerator: "Accelerator", units: tuple[Unit, ...]) -> str:
    top = top_name(accelerator)
    rows = "".join(
        f"| `{unit.name}_` | `{unit.module}` | {_settings(unit.parameters)} |\n" for unit in units
    )
    return f"""# Verilog of {accelerator.name}

{accelerator.description}. Verilog-2005; `files.f` lists the files, `accelerator.yaml` is the
machine they were written for. Every module's header says what its ports carry and when.

| ports | unit | parameters |
|---|---|---|
{rows}
To check, simulate or synthesize it:

    verilator --lint-only -Wall -Wno-DECLFILENAME -Wno-WIDTH -Wno-UNUSEDSIGNAL \\
      -f files.f --top-module {top}
    iverilog -g2005 -c files.f -s {top} -o {top}.vvp
    yosys -p "read_verilog $(tr '\\n' ' ' < files.f); hierarchy -top {top}; synth"

`-Wno-WIDTH`: signed operands are widened by the language's own rule; `-Wno-UNUSEDSIGNAL`: what
leaves the array's last rows and columns.

To compare changed Verilog with the integers and cycles of real tiles: `hwsim verify --rtl`.
"""


def _settings(parameters: Parameters) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "as they are"
