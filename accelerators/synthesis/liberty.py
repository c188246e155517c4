"""Cells of a Liberty library: area, capacitances, functions, flip-flops, and energies of switching.

Units are picojoules, picofarads and nanoseconds whatever the file's are. Liberty gives internal
power tables as energies, in units of its capacitance times its voltage squared.
"""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis.boolean import truth_table
from accelerators.synthesis.cells import Arc, Cell, FlipFlop, Pin, Table
from accelerators.synthesis.liberty_file import Group, read_liberty_file
from quant.common.errors import UserError

_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}

LOAD, TRANSITION = "total_output_net_capacitance", "input_transition_time"
_TRANSITIONS = (TRANSITION, "input_net_transition")
_ENERGIES = ("rise_power", "fall_power", "power")


class Library:
    """Cells of a Liberty file by name, read when asked for.

    Attributes:
        path: the file.
        name: of the library.
        supply_v: its nominal voltage.
    """

    def __init__(self, path: Path) -> None:
        """Read a file.

        Raises:
            UserError: it cannot be read or is no Liberty file with units and a voltage.
        """
        self.path = path
        self._group = read_liberty_file(path)
        self.name = self._group.arguments[0] if self._group.arguments else path.stem
        self._templates = {
            group.arguments[0]: group
            for group in self._group.of_kinds("lu_table_template", "power_lut_template")
        }
        self._cell_groups = {group.arguments[0]: group for group in self._group.of_kind("cell")}
        self._cells: dict[str, Cell] = {}
        try:
            self.supply_v = float(self._group.values["nom_voltage"])
            self._load_pf = _capacitance_pf(self._group.lists["capacitive_load_unit"])
            volt = _unit(self._group.values.get("voltage_unit", "1V"), "v")
            self._leakage_nw = _unit(self._group.values.get("leakage_power_unit", "1nW"), "w") * 1e9
            self._time_ns = _unit(self._group.values.get("time_unit", "1ns"), "s") * 1e9
        except (KeyError, ValueError, IndexError) as error:
            raise UserError(
                f"{path}: expected a Liberty file with nom_voltage, capacitive_load_unit and "
                f"units as Liberty writes them; {error} is missing or not understood"
            ) from error
        self._energy_pj = self._load_pf * volt**2

    @cached_property
    def sha256(self) -> str:
        """Hash of the file, 64 hexadecimal digits."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """The cells."""
        return tuple(self._cell_groups)

    def cell(self, name: str) -> Cell:
        """A cell.

        Raises:
            UserError: there is none of that name, or it is of a kind that is not understood.
        """
        if name not in self._cells:
            if name not in self._cell_groups:
                raise UserError(f"cell library '{self.name}' has no cell '{name}'; name another")
            try:
                self._cells[name] = self._read(self._cell_groups[name])
            except (KeyError, ValueError) as error:
                raise UserError(
                    f"{self.path}: cell '{name}': {error} is missing or not understood; "
                    "exclude it from mapping (dont_use)"
                ) from error
        return self._cells[name]

    @cached_property
    def gate_area(self) -> float:
        """Area of the smallest two-input NAND, the unit of gate equivalents.

        Raises:
            UserError: the library has none.
        """
        areas = [
            float(group.values["area"]) for group in self._cell_groups.values() if _is_nand(group)
        ]
        if not areas:
            raise UserError(
                f"cell library '{self.name}' has no two-input NAND, which gate equivalents are "
                "counted in; name another library"
            )
        return min(areas)

    def _read(self, group: Group) -> Cell:
        pins = [self._pin(pin, pin.arguments[0]) for pin in group.of_kind("pin")]
        return Cell(
            group.arguments[0],
            float(group.values["area"]),
            self._leakage_nw * _leakage(group),
            {pin.name: pin for pin in pins},
            _flip_flop(group),
        )

    def _pin(self, group: Group, name: str) -> Pin:
        values = group.values
        is_output = values["direction"] == "output"
        if "three_state" in values:
            raise ValueError("an output that can be switched off")
        timing = group.of_kind("timing") if is_output else []
        return Pin(
            name,
            is_output,
            0.0 if is_output else self._load_pf * float(values["capacitance"]),
            values.get("function", ""),
            self._arcs(group.of_kind("internal_power"), _ENERGIES, self._energy_pj),
            self._arcs(timing, ("rise_transition", "fall_transition"), self._time_ns),
            self._arcs(timing, ("cell_fall",), self._time_ns),
            self._arcs(timing, ("cell_rise",), self._time_ns),
        )

    def _arcs(
        self, groups: Iterable[Group], kinds: tuple[str, ...], unit: float
    ) -> tuple[Arc, ...]:
        """One arc for each table of a rise or a fall, which nets do equally often."""
        return tuple(
            Arc(group.values.get("related_pin", ""), self._table(table, unit))
            for group in groups
            for table in group.of_kinds(*kinds)
        )

    def _table(self, group: Group, unit: float) -> Table:
        """A table, turned so that loads come first."""
        template = self._templates.get(group.arguments[0], Group("scalar", []))
        names = [template.values.get(f"variable_{place}", "") for place in (1, 2)]
        axes = [
            _numbers(group.lists.get(f"index_{place}", template.lists.get(f"index_{place}", [])))
            for place in (1, 2)
        ]
        values = _numbers(group.lists["values"]) * unit
        known = {name: axis for name, axis in zip(names, axes, strict=True) if len(axis)}
        values = values.reshape([len(axis) for axis in known.values()] or [1])
        transition = next((name for name in known if name in _TRANSITIONS), TRANSITION)
        unknown = set(known) - {LOAD, transition}
        if unknown:
            raise ValueError(f"a table by {', '.join(sorted(unknown))}")
        if list(known) == [transition, LOAD]:
            values = values.T
        one = np.zeros(1)
        loads = known[LOAD] * self._load_pf if LOAD in known else one
        transitions = known[transition] * self._time_ns if transition in known else one
        return Table(loads, transitions, values.reshape(len(loads), len(transitions)))


def _numbers(texts: list[str]) -> NDArray[np.float64]:
    """Numbers of a list, several of which may be in one string."""
    words = " ".join(texts).replace(",", " ").replace("\\", " ").split()
    return np.array([float(word) for word in words])


def _unit(text: str, unit: str) -> float:
    """A unit such as ``1ns`` in SI: the number in front, the prefix, then the unit itself."""
    letters = text.strip().lower().lstrip("0123456789.")
    number = float(text.strip()[: len(text.strip()) - len(letters)])
    if not letters.endswith(unit):
        raise ValueError(f"'{text}'")
    return number * _PREFIXES[letters[: -len(unit)]]


def _capacitance_pf(words: list[str]) -> float:
    return float(words[0]) * _unit(f"1{words[1]}", "f") * 1e12


def _leakage(group: Group) -> float:
    """Of a cell; without one figure, the mean over the states that it is given for."""
    if "cell_leakage_power" in group.values:
        return float(group.values["cell_leakage_power"])
    states = [float(state.values["value"]) for state in group.of_kind("leakage_power")]
    return float(np.mean(states)) if states else 0.0


def _flip_flop(group: Group) -> FlipFlop | None:
    """The state of a cell whose next state is a pin's value."""
    if group.of_kind("latch"):
        raise ValueError("a latch")
    states = group.of_kind("ff")
    if not states:
        return None
    (state,) = states
    clock = state.values["clocked_on"].replace("(", "").replace(")", "").replace(" ", "")
    is_falling = clock.startswith("!") or clock.endswith("'")
    data = state.values["next_state"].strip("() ")
    pins = {pin.arguments[0] for pin in group.of_kind("pin")}
    if data not in pins or {"clear", "preset"} & set(state.values):
        raise ValueError("a flip-flop with more than data and clock")
    first, second = state.arguments
    return FlipFlop((first, second), data, clock.strip("!'"), is_falling)


def _is_nand(group: Group) -> bool:
    """Whether a cell is a NAND of two inputs."""
    if {"ff", "latch"} & {inner.kind for inner in group.groups}:
        return False
    pins = group.of_kind("pin")
    inputs = [pin.arguments[0] for pin in pins if pin.values.get("direction") == "input"]
    functions = [pin.values["function"] for pin in pins if "function" in pin.values]
    return len(inputs) == 2 and [truth_table(each, inputs) for each in functions] == [0b0111]
