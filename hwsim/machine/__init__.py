"""Runs programs on simulated memories, and graphs layer by layer to compare with."""

from hwsim.machine.accumulators import AccumulatorOverflow, LayerOverflows
from hwsim.machine.arithmetic import Arithmetic
from hwsim.machine.execute import Execution, execute
from hwsim.machine.kernel_operators import KERNELS
from hwsim.machine.layerwise import LayerwiseExecution, execute_layerwise, run_layerwise
from hwsim.machine.mac_array import Convolved
from hwsim.machine.memory import MachineError
from hwsim.machine.reference_operators import REFERENCE

__all__ = [
    "KERNELS",
    "REFERENCE",
    "AccumulatorOverflow",
    "Arithmetic",
    "Convolved",
    "Execution",
    "LayerOverflows",
    "LayerwiseExecution",
    "MachineError",
    "execute",
    "execute_layerwise",
    "run_layerwise",
]
