"""Cells of a library: what they compute, load their nets with, and spend when they switch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis.boolean import MOST_INPUTS, truth_table
from quant.common.errors import UserError


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A figure by load and input transition, either or none of which it may depend on.

    Attributes:
        loads_pf: ascending; one of 0 where it does not depend on the load.
        transitions_ns: likewise.
        values: [loads, transitions].
    """

    loads_pf: NDArray[np.float64]
    transitions_ns: NDArray[np.float64]
    values: NDArray[np.float64]

    def at(self, load_pf: float, transition_ns: float) -> float:
        """Linear between points, and along the last two beyond them."""
        (i, u), (j, v) = _place(self.loads_pf, load_pf), _place(self.transitions_ns, transition_ns)
        corner = self.values[i : i + 2, j : j + 2]
        along = corner[0] if len(corner) == 1 else corner[0] + u * (corner[1] - corner[0])
        return float(along[0] if len(along) == 1 else along[0] + v * (along[1] - along[0]))


@dataclass(frozen=True, slots=True, eq=False)
class Arc:
    """What an input pin's change does to an output that rises or falls.

    Attributes:
        related: the input pin; empty for what holds whichever pin changes.
        table: energy in pJ, or transition or delay of the output in ns.
    """

    related: str
    table: Table


@dataclass(frozen=True, slots=True, eq=False)
class Pin:
    """A pin of a cell.

    Attributes:
        name: its name.
        is_output: whether it drives a net.
        capacitance_pf: that it puts on a net; 0 for an output.
        function: of an output, as the library writes it.
        energies_pj: inside the cell, each time the pin's net toggles.
        transitions_ns: of an output.
        fall_delays_ns, rise_delays_ns: of an output.
    """

    name: str
    is_output: bool
    capacitance_pf: float
    function: str
    energies_pj: tuple[Arc, ...]
    transitions_ns: tuple[Arc, ...]
    fall_delays_ns: tuple[Arc, ...]
    rise_delays_ns: tuple[Arc, ...]


@dataclass(frozen=True, slots=True)
class FlipFlop:
    """The state of a cell.

    Attributes:
        variables: its names for the state and for the inverted state.
        data: the pin whose value is the next state.
        clock: the clock pin.
        is_falling: whether it is taken over at the clock's falling edge.
    """

    variables: tuple[str, str]
    data: str
    clock: str
    is_falling: bool


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A cell.

    Attributes:
        name: its name.
        area: in the library's unit, mostly square micrometres.
        leakage_nw: leakage power.
        pins: by name.
        flip_flop: its state; None for a combinational cell.
    """

    name: str
    area: float
    leakage_nw: float
    pins: dict[str, Pin]
    flip_flop: FlipFlop | None

    @property
    def input_names(self) -> tuple[str, ...]:
        """The pins that are no outputs."""
        return tuple(name for name, pin in self.pins.items() if not pin.is_output)

    def truth(self, output: str) -> int:
        """The truth table of an output over `input_names`.

        Raises:
            UserError: it has no function, more than six inputs, or a function of other variables.
        """
        inputs = self.input_names
        if not self.pins[output].function or len(inputs) > MOST_INPUTS:
            raise UserError(
                f"cell '{self.name}' of the library: expected an output '{output}' with a function "
                f"of at most {MOST_INPUTS} inputs; exclude it from mapping (dont_use)"
            )
        return truth_table(self.pins[output].function, inputs)


def _place(axis: NDArray[np.float64], value: float) -> tuple[int, float]:
    """The interval of an axis that a value belongs to, and where in it the value lies."""
    if len(axis) == 1:
        return 0, 0.0
    low = int(np.clip(np.searchsorted(axis, value) - 1, 0, len(axis) - 2))
    return low, float((value - axis[low]) / (axis[low + 1] - axis[low]))
