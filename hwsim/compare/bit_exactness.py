"""One picture on the simulated machine and in real numbers, compared with the kernels' integers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators import EnergyModel
from hwsim.compare.alternatives import Alternatives
from hwsim.compare.request import RealNetwork
from hwsim.fidelity import fidelity
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


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How a graph's codes compare with the same codes computed in real numbers.

    Every feature map is computed from the graph's own operands, so that differences do not add up.

    Attributes:
        values: codes compared, of all feature maps.
        differing: how many are not equal.
        farthest_from_tie: how far the value of a differing code was at most from the middle
            between two codes, in codes.
    """

    values: int
    differing: int
    farthest_from_tie: float


def check_in_reals(
    alternatives: Alternatives, real: RealNetwork, image: NDArray[np.uint8]
) -> Fidelity:
    """Compare the graph that an image runs, feature map by feature map.

    Args:
        alternatives: the graphs.
        real: the same network in real numbers.
        image: uint8 [height, width, 3].
    """
    graph = alternatives.variants[alternatives.choose(image.astype(np.int32))]
    found = fidelity(graph, real.oracle(image), image, KERNELS)
    return Fidelity(
        sum(entry.values for entry in found),
        sum(entry.differing for entry in found),
        max(entry.farthest for entry in found),
    )


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
