"""One picture on the simulated machine, compared with the kernels that quality is judged by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators import EnergyModel
from hwsim.compare.alternatives import Alternatives
from hwsim.machine import KERNELS
from hwsim.simulation import compare, simulate


@dataclass(frozen=True, slots=True)
class BitExactness:
    """How the machine's integers compare with those of the kernels.

    Attributes:
        values: integers compared, a selector's among them.
        mismatches: how many of them differ.
    """

    values: int
    mismatches: int


def check_on_machine(
    alternatives: Alternatives, machine: EnergyModel, image: NDArray[np.uint8]
) -> BitExactness:
    """Run what an image runs, selector and variant, command by command, and compare.

    Args:
        alternatives: the graphs.
        machine: the accelerator and its prices.
        image: uint8 [height, width, 3].

    Raises:
        ScheduleError: a graph does not fit the machine.
    """
    codes = image.astype(np.int32)
    variant = alternatives.variants[alternatives.choose(codes)]
    values = mismatches = 0
    for graph in (variant, alternatives.selector):
        if graph is not None:
            output = simulate(graph, machine.accelerator, machine, codes).output
            compared = compare(output, graph, codes, KERNELS)
            values += compared.values
            mismatches += compared.mismatches
    return BitExactness(values, mismatches)
