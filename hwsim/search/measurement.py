"""What one policy really does: the error of its integer graph's output, and its cost."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import hwsim
from accelerators import Accelerator, EnergyModel
from hwsim.cost import ProgramCost
from hwsim.estimation import Estimator, FixedDivision
from hwsim.identity import arrays_identity, digest, graph_identity, machine_identity
from hwsim.ledger import Ledger, Record
from hwsim.machine import KERNELS, run_layerwise
from hwsim.search.resource import FEMTOJOULES_PER_MICROJOULE, Resource
from quant.graph import Graph, Size
from quant.policy import BitPolicy

PEAK_CODE = 255
"""White, in the codes of an 8-bit picture."""
_COST_RECORD = 3
"""Grows when a record of costs gets other keys: older ones are not found then."""

BuildGraph = Callable[[BitPolicy], Graph]


@dataclass(frozen=True, slots=True)
class Figures:
    """A policy's error and cost, measured or predicted.

    Attributes:
        mse: mean squared difference between the decoded output of the integer graph and the float
            network's output, over all values of all search images, in squared 8-bit pixel codes.
        energy_fj: energy of one image, in femtojoules (rounded).
        cycles: cycles of one image.
        dram_bytes: bytes of one image over the DRAM bus.
        sram_bytes: SRAM that the buffers of the cascade with the largest ones occupy.
    """

    mse: float
    energy_fj: int
    cycles: int
    dram_bytes: int
    sram_bytes: int

    @property
    def psnr_db(self) -> float:
        """Fidelity to the float network's output, in dB; infinite without any difference."""
        if self.mse == 0:
            return math.inf
        return 10 * math.log10(PEAK_CODE**2 / self.mse)

    @property
    def energy_uj(self) -> float:
        """Energy of one image, in microjoules."""
        return self.energy_fj / FEMTOJOULES_PER_MICROJOULE

    def cost(self, resource: Resource) -> int:
        """Femtojoules, cycles or bytes."""
        return {
            Resource.ENERGY: self.energy_fj,
            Resource.LATENCY: self.cycles,
            Resource.DRAM: self.dram_bytes,
            Resource.SRAM: self.sram_bytes,
        }[resource]


@dataclass(frozen=True, slots=True)
class Measurement(Figures):
    """A policy's real error, and the cost of its real schedule.

    Attributes:
        layer_sram_bytes: for each convolution, first to last, the SRAM that the buffers of the
            cascade it runs in occupy.
        other_sram_bytes: the same of the largest cascade without a convolution, 0 without one.
    """

    layer_sram_bytes: tuple[int, ...] = ()
    other_sram_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What quality is judged on.

    Attributes:
        codes: for each picture, int32 [height, width, channels], codes of the graph's input.
        references: for each picture, float [height, width, channels], the float network's output
            in 8-bit pixel codes, clipped to 0…255 as a picture is.
    """

    codes: Sequence[NDArray[np.int32]]
    references: Sequence[NDArray[np.floating]]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What cost is counted on.

    Attributes:
        accelerator: the machine.
        energy: its prices.
        image_size: height and width of the input image.
    """

    accelerator: Accelerator
    energy: EnergyModel
    image_size: Size


class Meter:
    """Measures policies, each of them once: what the ledger has is not measured again."""

    def __init__(
        self,
        build_graph: BuildGraph,
        base: BitPolicy,
        pictures: Pictures,
        target: Target,
        ledger: Ledger,
    ) -> None:
        """Build the base graph, whose content tells this network and method from others.

        Raises:
            UserError: the base policy's graph cannot be built.
        """
        # Error and cost of a policy are recorded apart but measured one after the other.
        self._build = lru_cache(maxsize=1)(build_graph)
        self._pictures = pictures
        self._target = target
        self._estimator = Estimator(target.accelerator, target.energy)
        self._ledger = ledger
        graph = self._build(base)
        self.layers = tuple(node.name for node in graph.convolutions())
        graph_and_code = (hwsim.__version__, graph_identity(graph))
        self._error_context = digest(
            *graph_and_code, arrays_identity((*pictures.codes, *pictures.references))
        )
        self._cost_context = digest(
            *graph_and_code,
            machine_identity(target.accelerator, target.energy),
            json.dumps([asdict(target.image_size), _COST_RECORD]),
        )

    def measure(self, policy: BitPolicy) -> Measurement:
        """Error and cost of a policy.

        Raises:
            ScheduleError: the machine has no room for the policy's graph.
            UserError: the policy's graph cannot be built.
        """
        cost = self._recorded_cost(policy)
        return _measurement(self._recorded_error(policy), cost)

    @property
    def machine_sram_bytes(self) -> int:
        """SRAM of the machine."""
        return self._target.accelerator.sram.size_kib * 1024

    def cost(self, policy: BitPolicy) -> Measurement:
        """A policy's cost; the error, which is not measured, is NaN.

        Raises:
            ScheduleError: the machine has no room for the policy's graph.
            UserError: the policy's graph cannot be built.
        """
        return _measurement({"mse": math.nan}, self._recorded_cost(policy))

    def error(self, policy: BitPolicy) -> float:
        """A policy's `Measurement.mse`.

        Raises:
            UserError: the policy's graph cannot be built.
        """
        mse: float = self._recorded_error(policy)["mse"]
        return mse

    def division(self, policy: BitPolicy) -> tuple[Graph, FixedDivision]:
        """A policy's graph, and the division into cascades it was measured with.

        Raises:
            ScheduleError: the machine has no room for the policy's graph.
            UserError: the policy's graph cannot be built.
        """
        graph = self._build(policy)
        return graph, self._estimator.fixed(graph, self._target.image_size)

    def priced(self, cost: ProgramCost) -> Measurement:
        """A cost as measurements have it; the error, which was not measured, is NaN."""
        return _measurement({"mse": math.nan}, self._counted(cost))

    def recorded_of_costs(
        self, kind: str, policy: BitPolicy, more: str, find: Callable[[], Record]
    ) -> Record:
        """What the ledger has of a policy on this machine, or else what is found.

        Args:
            kind: what it is.
            policy: the policy.
            more: whatever else it depends on.
            find: finds it.
        """
        return self._recorded(kind, self._cost_context + more, policy, find)

    def _recorded_cost(self, policy: BitPolicy) -> Record:
        return self.recorded_of_costs("cost", policy, "", lambda: self._cost(policy))

    def _recorded_error(self, policy: BitPolicy) -> Record:
        return self._recorded("error", self._error_context, policy, lambda: self._error(policy))

    def _recorded(
        self, kind: str, context: str, policy: BitPolicy, find: Callable[[], Record]
    ) -> Record:
        bits = {layer: str(chosen) for layer, chosen in policy.resolve(self.layers).items()}
        key = digest(kind, context, json.dumps([bits, policy.residual_bits]))
        record = self._ledger.get(key)
        if record is None:
            record = {"kind": kind, "policy": bits, **find()}
            self._ledger.put(key, record)
        return record

    def _error(self, policy: BitPolicy) -> Record:
        return {"mse": output_mse(self._build(policy), self._pictures)}

    def _cost(self, policy: BitPolicy) -> Record:
        return self._counted(self._estimator.cost(self._build(policy), self._target.image_size))

    def _counted(self, cost: ProgramCost) -> Record:
        return {
            "energy_fj": round(cost.energy_uj * FEMTOJOULES_PER_MICROJOULE),
            "cycles": cost.cycles,
            "dram_bytes": cost.dram_read_bytes + cost.dram_write_bytes,
            "sram_bytes": cost.sram_peak_bytes,
            **self._sram(cost),
        }

    def _sram(self, cost: ProgramCost) -> Record:
        """SRAM by convolution, and of what runs without one."""
        groups = [part.group for part in cost.groups]
        cascade_of = {node: group.cascade for group in groups for node in group.nodes}
        bytes_of = {group.cascade: group.sram_bytes for group in groups}
        cascades = [cascade_of[layer] for layer in self.layers]
        others = [used for cascade, used in bytes_of.items() if cascade not in set(cascades)]
        return {
            "layer_sram_bytes": [bytes_of[cascade] for cascade in cascades],
            "other_sram_bytes": max(others, default=0),
        }


def _measurement(error: Record, cost: Record) -> Measurement:
    return Measurement(
        error["mse"],
        cost["energy_fj"],
        cost["cycles"],
        cost["dram_bytes"],
        cost["sram_bytes"],
        tuple(cost["layer_sram_bytes"]),
        cost["other_sram_bytes"],
    )


def output_mse(graph: Graph, pictures: Pictures) -> float:
    """Mean squared difference of a graph's decoded outputs from the references; see `Measurement`.

    The graph is computed layer by layer by the fast kernels, which every schedule equals.
    """
    encoding = graph.node(graph.output).output.encoding
    squares, values = 0.0, 0
    for codes, reference in zip(pictures.codes, pictures.references, strict=True):
        output = run_layerwise(graph, codes, KERNELS)
        decoded = encoding.scale * (output.astype(np.float64) - np.array(encoding.zero_point))
        squares += float(np.square(decoded - reference).sum())
        values += output.size
    return squares / values
