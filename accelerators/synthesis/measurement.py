"""A synthesized unit on a trial: what it is made of, and the energy of an operation."""

from dataclasses import dataclass
from pathlib import Path

from accelerators.synthesis.energy import cycle_energy, energies_of
from accelerators.synthesis.liberty import Library
from accelerators.synthesis.netlist import read_netlist
from accelerators.synthesis.simulator import Simulator
from accelerators.synthesis.unit import TOP, Trial
from quant.common.errors import UserError


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a unit is made of.

    Attributes:
        area: of its cells, in the library's unit.
        area_ge: the same in areas of a two-input NAND.
        cells: how many, flip-flops among them.
        flip_flops: how many.
        leakage_nw: of its cells.
        clock_pj: clocking its flip-flops for a cycle.
    """

    area: float
    area_ge: float
    cells: int
    flip_flops: int
    leakage_nw: float
    clock_pj: float


@dataclass(frozen=True, slots=True)
class OperationEnergy:
    """Energy of an operation, in picojoules, clock included.

    Attributes:
        settled_pj: without glitches, as if gates had no delay.
        unit_pj: with the glitches of gates that all have the same delay.
        delayed_pj: with those of gates that have the library's delays.
        clock_pj: what of each is the clock's.
    """

    settled_pj: float
    unit_pj: float
    delayed_pj: float
    clock_pj: float

    @property
    def calibrated_pj(self) -> float:
        """The mean of the first two."""
        return (self.settled_pj + self.unit_pj) / 2


class SynthesizedUnit:
    """A netlist of a unit, ready for trials."""

    def __init__(self, netlist: Path, library: Library) -> None:
        """Read a netlist that yosys wrote of `Unit.design`.

        Raises:
            UserError: see `read_netlist`.
        """
        self._netlist = read_netlist(netlist, TOP, library)
        self._simulator = Simulator(self._netlist)
        self._energies = energies_of(self._netlist, self._simulator.timing, library.supply_v)
        self._gate_area = library.gate_area

    @property
    def hardware(self) -> Hardware:
        """What it is made of."""
        netlist = self._netlist
        return Hardware(
            netlist.area,
            netlist.area / self._gate_area,
            len(netlist.instances),
            len(netlist.flip_flops),
            netlist.leakage_nw,
            self._energies.clock_pj,
        )

    def measure(self, trial: Trial) -> OperationEnergy:
        """Run a trial.

        Raises:
            UserError: what came out is not what must.
        """
        ports = [each.port for each in trial.expected]
        simulation = self._simulator.run(trial.stimulus, trial.warm_up, ports)
        wrong = trial.mismatches(simulation.outputs)
        if wrong:
            raise UserError(
                f"the netlist computes {wrong} integers otherwise than its unit must; check the "
                "cell library's functions"
            )
        toggles = simulation.toggles
        settled, unit, delayed = (
            cycle_energy(self._energies, each, toggles.cycles).total_pj / trial.operations
            for each in (toggles.settled, toggles.unit, toggles.delayed)
        )
        clock_pj = self._energies.clock_pj / trial.operations
        return OperationEnergy(settled, unit, delayed, clock_pj)
