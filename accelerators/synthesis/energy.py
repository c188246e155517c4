"""What toggles cost, by the library: loads, what cells spend inside, and the clock."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis.netlist import Netlist
from accelerators.synthesis.timing import Timing, mean_of

Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Energies:
    """Prices of a netlist's switching.

    Attributes:
        load_pj: of charging or discharging a net's load, [nets].
        internal_pj: inside its driver and its readers, each time a net toggles, [nets].
        clock_pj: of a cycle in which nothing but the clock changes.
    """

    load_pj: Figures
    internal_pj: Figures
    clock_pj: float


@dataclass(frozen=True, slots=True)
class CycleEnergy:
    """Mean energy of a cycle, in picojoules.

    Attributes:
        load_pj: of loads.
        internal_pj: inside cells, but for the clock's.
        clock_pj: of the clock net and the flip-flops' clock pins.
    """

    load_pj: float
    internal_pj: float
    clock_pj: float

    @property
    def total_pj(self) -> float:
        """All of it."""
        return self.load_pj + self.internal_pj + self.clock_pj


def energies_of(netlist: Netlist, timing: Timing, supply_v: float) -> Energies:
    """The prices of a netlist.

    A toggle costs half of C V^2 for the pins on the net, what the table of its driver's output says
    for this load and the driver's input edges, and what tables of the pins it enters say. The clock
    toggles twice a cycle.
    """
    load_pj = timing.loads_pf * supply_v**2 / 2
    internal_pj = np.zeros(netlist.nets)
    for instance in netlist.instances:
        edges = {
            name: float(timing.transitions_ns[instance.nets[name]])
            for name in instance.cell.input_names
        }
        for name, net in instance.nets.items():
            pin = instance.cell.pins[name]
            seen = edges if pin.is_output else {"": edges[name]}
            internal_pj[net] += mean_of(pin.energies_pj, float(timing.loads_pf[net]), seen)
    clock_pj = 0.0
    if netlist.clock is not None:
        clock_pj = 2 * float(load_pj[netlist.clock] + internal_pj[netlist.clock])
    return Energies(load_pj, internal_pj, clock_pj)


def cycle_energy(energies: Energies, toggles: NDArray[np.generic], cycles: int) -> CycleEnergy:
    """The mean energy of a cycle.

    Args:
        energies: prices of the netlist.
        toggles: of each net but the clock, in all.
        cycles: in which they were counted.
    """
    each = toggles.astype(np.float64) / cycles
    return CycleEnergy(
        float(each @ energies.load_pj), float(each @ energies.internal_pj), energies.clock_pj
    )
