"""Runs programs on simulated memories, and graphs layer by layer to compare with."""

from hwsim.machine.execute import Execution, execute
from hwsim.machine.layerwise import KERNELS, REFERENCE, Arithmetic, run_layerwise
from hwsim.machine.memory import MachineError

__all__ = [
    "KERNELS",
    "REFERENCE",
    "Arithmetic",
    "Execution",
    "MachineError",
    "execute",
    "run_layerwise",
]
