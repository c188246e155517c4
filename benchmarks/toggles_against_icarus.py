"""Toggles of simulated gates beside Icarus Verilog's with the delays of osu018's own cell models.

Run: python -m benchmarks.toggles_against_icarus

Prints the table of docs/synthesis.md. Needs yosys, iverilog and qflow-tech-osu018.
"""

import tempfile
from pathlib import Path

import numpy as np

from accelerators.synthesis.output_units import output_trial, output_unit
from accelerators.synthesis.part_units import multiplier_trial, multiplier_unit
from accelerators.synthesis.products import random_products
from accelerators.synthesis.simulator import STREAMS, Simulator, Toggles
from accelerators.synthesis.stationary_units import stationary_trial, stationary_unit
from accelerators.synthesis.unit import Trial, Unit
from tests.rtl.synthesis import icarus
from tests.rtl.synthesis.gates import CELLS, mapped

STREAM = 0


def compared(unit: Unit, trial: Trial) -> tuple[Toggles, float]:
    """Ours and Icarus's toggles of one stream."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, netlist = mapped(unit.design, folder)
        stream = {port: values[:, STREAM] for port, values in trial.stimulus.items()}
        alike = {port: np.tile(values[:, np.newaxis], STREAMS) for port, values in stream.items()}
        toggles = Simulator(netlist).run(alike, trial.warm_up, record=()).toggles
        tested = icarus.Tested(netlist.name, netlist, [files.verilog, CELLS], ("-gspecify",))
        return toggles, icarus.toggles(tested, stream, trial.warm_up, folder)


def main() -> None:
    random = random_products(8, 8)
    cases = {
        "multiplier 4 × 4": (multiplier_unit(4, 4), multiplier_trial(4, 4)),
        "multiplier 8 × 8": (multiplier_unit(8, 8), multiplier_trial(8, 8)),
        "output-stationary element 8 × 8": (
            output_unit("output_stationary", 8, 8),
            output_trial("output_stationary", random),
        ),
        "weight-stationary element 8 × 8": (
            stationary_unit("weight_stationary", 8, 8),
            stationary_trial("weight_stationary", random),
        ),
    }
    columns = ("settled", "a delay of one", "mean of both", "delays", "Icarus, library's models")
    print(f"| toggles a cycle | {' | '.join(columns)} |")
    print("|---|" + "---|" * len(columns))
    for title, (unit, trial) in cases.items():
        ours, theirs = compared(unit, trial)
        counted = (ours.settled, ours.unit, ours.calibrated, ours.delayed)
        cells = [each.sum() / ours.cycles for each in counted]
        print(f"| {title} | " + " | ".join(f"{each:.1f}" for each in (*cells, theirs)) + " |")


if __name__ == "__main__":
    main()
