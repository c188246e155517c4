"""What policies really do, each measured once: errors of integer graphs, costs of schedules."""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import asdict, dataclass

import hwsim
from hwsim.cost import ProgramCost
from hwsim.estimation import FixedDivision
from hwsim.identity import arrays_identity, digest, graph_identity, machine_identity
from hwsim.ledger import Ledger, Record
from hwsim.schedule import ScheduleError
from hwsim.search.evaluation import (
    NO_ROOM,
    BuildGraph,
    Context,
    Evaluator,
    Job,
    Kind,
    Pictures,
    Records,
    Target,
)
from hwsim.search.resource import FEMTOJOULES_PER_MICROJOULE, Resource
from hwsim.search.workers import ExecutorWorkers, ThisProcess, Workers
from quant.graph import Graph
from quant.policy import BitPolicy

PEAK_CODE = 255
"""White, in the codes of an 8-bit picture."""
_COST_RECORD = 3
"""Grows when a record of costs gets other keys: older ones are not found then."""

_NO_ERROR: Record = {"mse": math.nan}

Count = Callable[[], None]


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
class MachineCheck:
    """How the integers of a policy's schedule, run on simulated memories, compare.

    Attributes:
        values: integers compared with the graph computed layer by layer, over all pictures.
        mismatches: how many of them differ.
    """

    values: int
    mismatches: int


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


def count_nothing() -> None:
    """For those who do not want to know how far it is."""


class Meter:
    """Measures policies, each of them once: what the ledger has is not measured again.

    Attributes:
        base_sha256: hash of the base policy's graph, or of those that an image chooses among.
        is_adaptive: whether it is several.
        layers: names of the convolutions, first to last.
        machine_sram_bytes: SRAM of the machine.
    """

    def __init__(
        self,
        build_graph: BuildGraph,
        base: BitPolicy,
        pictures: Pictures,
        target: Target,
        ledger: Ledger,
        executor: Executor | None = None,
    ) -> None:
        """Build the base graph, whose content tells this network and method from others.

        Args:
            build_graph: quantizes the network under a policy; an executor may need to pickle it.
            base: the base policy.
            pictures: what errors are judged on.
            target: what costs are counted on.
            ledger: what is measured already, and where the rest goes.
            executor: computes the measurements; None: this process does.

        Raises:
            UserError: the base policy's graph cannot be built, or it cannot be pickled.
        """
        graph = build_graph(base)
        self.is_adaptive = not isinstance(graph, Graph)
        self.base_sha256 = graph_identity(graph)
        middle = graph if isinstance(graph, Graph) else graph.variants[1]
        self.layers = tuple(node.name for node in middle.convolutions())
        # What the method has seen of its pictures by now, workers need not look at again.
        context = Context(build_graph, pictures, target, self.layers)
        self._evaluator = Evaluator(context)
        self._workers: Workers = ThisProcess(self._evaluator)
        if executor is not None:
            self._workers = ExecutorWorkers(executor, context)
        self._ledger = ledger
        self.machine_sram_bytes = target.accelerator.sram.size_kib * 1024
        graph_and_code = hwsim.__version__, self.base_sha256
        machine = machine_identity(target.accelerator, target.energy)
        self._contexts: dict[Kind, str] = {
            "cost": digest(
                *graph_and_code, machine, json.dumps([asdict(target.image_size), _COST_RECORD])
            ),
            "error": digest(
                *graph_and_code, arrays_identity((*pictures.codes, *pictures.references))
            ),
            "machine": digest(*graph_and_code, machine, arrays_identity(pictures.codes)),
        }

    def measure(self, policy: BitPolicy) -> Measurement:
        """Error and cost of a policy.

        Raises:
            ScheduleError: the machine has no room for the policy's graph.
            UserError: the policy's graph cannot be built.
        """
        (found,) = self._found([policy], ("cost", "error"), count_nothing)
        return _measured(found)

    def measure_all(
        self, policies: Sequence[BitPolicy], count: Count = count_nothing
    ) -> list[Measurement | None]:
        """Error and cost of policies, several at a time where there are workers.

        Args:
            policies: the policies.
            count: called once for each, as it is done.

        Returns:
            For each policy what it does; None where the machine has no room for it.

        Raises:
            UserError: a policy's graph cannot be built.
        """
        return [_in_room(found) for found in self._found(policies, ("cost", "error"), count)]

    def errors_of(self, policies: Sequence[BitPolicy], count: Count = count_nothing) -> list[float]:
        """`Measurement.mse` of policies, several at a time where there are workers.

        Args:
            policies: the policies, whether the machine has room for them or not.
            count: called once for each, as it is done.

        Raises:
            UserError: a policy's graph cannot be built.
        """
        return [found["error"]["mse"] for found in self._found(policies, ("error",), count)]

    def cost(self, policy: BitPolicy) -> Measurement:
        """A policy's cost; the error, which is not measured, is NaN.

        Raises:
            ScheduleError: the machine has no room for the policy's graph.
            UserError: the policy's graph cannot be built.
        """
        (found,) = self._found([policy], ("cost",), count_nothing)
        return _measured(found)

    def costs_of(self, policies: Sequence[BitPolicy]) -> list[Measurement | None]:
        """Costs of policies, several at a time where there are workers; as `measure_all`."""
        return [_in_room(found) for found in self._found(policies, ("cost",), count_nothing)]

    def division(self, policy: BitPolicy) -> tuple[Graph, FixedDivision]:
        """A policy's graph, and the division into cascades it was measured with.

        Only of a method whose bits do not depend on the image (`is_adaptive`).

        Raises:
            ScheduleError: the machine has no room for the policy's graph.
            UserError: the policy's graph cannot be built.
        """
        graph = self._evaluator.build(policy)
        assert isinstance(graph, Graph)
        return graph, self._evaluator.division(graph)

    def priced(self, cost: ProgramCost) -> Measurement:
        """A cost as measurements have it; the error, which was not measured, is NaN."""
        return _measurement(_NO_ERROR, self._evaluator.counted(cost))

    def on_machine(
        self, policies: Sequence[BitPolicy], count: Count = count_nothing
    ) -> list[MachineCheck]:
        """Run policies on the machine, each picture, several at a time where there are workers.

        Args:
            policies: the policies, for which the machine has room.
            count: called once for each, as it is done.

        Raises:
            ScheduleError: the machine has no room for a picture.
            UserError: a policy's graph cannot be built.
        """
        return [
            MachineCheck(found["machine"]["values"], found["machine"]["mismatches"])
            for found in self._found(policies, ("machine",), count)
        ]

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
        words = self._words(policy)
        key = digest(kind, self._contexts["cost"] + more, words)
        record = self._ledger.get(key)
        if record is None:
            record = {"kind": kind, "policy": json.loads(words)[0], **find()}
            self._ledger.put(key, record)
        return record

    def _found(
        self, policies: Sequence[BitPolicy], kinds: tuple[Kind, ...], count: Count
    ) -> list[Records]:
        """What the ledger has of policies after what it lacked was measured."""
        words = [self._words(policy) for policy in policies]
        jobs: dict[str, Job] = {}
        for each, policy in zip(words, policies, strict=True):
            missing = self._missing(each, kinds)
            if missing:
                jobs[each] = Job(policy, missing)
        times = Counter(words)
        for _ in range(sum(times[each] for each in times if each not in jobs)):
            count()
        measured = list(jobs)
        with closing(self._workers.results(tuple(jobs.values()))) as results:
            for position, records in results:
                self._record(measured[position], records)
                for _ in range(times[measured[position]]):
                    count()
        return [self._known(each, kinds) for each in words]

    def _words(self, policy: BitPolicy) -> str:
        """A policy as it is keyed, however it is written."""
        bits = {layer: str(chosen) for layer, chosen in policy.resolve(self.layers).items()}
        return json.dumps([bits, policy.residual_bits])

    def _key(self, kind: Kind, words: str) -> str:
        return digest(kind, self._contexts[kind], words)

    def _known(self, words: str, kinds: tuple[Kind, ...]) -> Records:
        records = {kind: self._ledger.get(self._key(kind, words)) for kind in kinds}
        return {kind: record for kind, record in records.items() if record is not None}

    def _missing(self, words: str, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        known = self._known(words, kinds)
        if NO_ROOM in known.get("cost", {}):
            return ()  # nor is its error of use
        return tuple(kind for kind in kinds if kind not in known)

    def _record(self, words: str, records: Records) -> None:
        for kind, record in records.items():
            entry = {"kind": kind, "policy": json.loads(words)[0], **record}
            self._ledger.put(self._key(kind, words), entry)


def _in_room(found: Records) -> Measurement | None:
    """What was measured; None where the machine has no room."""
    return None if NO_ROOM in found["cost"] else _measured(found)


def _measured(found: Records) -> Measurement:
    """What was measured; without an error it is NaN.

    Raises:
        ScheduleError: the machine has no room.
    """
    if NO_ROOM in found["cost"]:
        raise ScheduleError(found["cost"][NO_ROOM])
    return _measurement(found.get("error", _NO_ERROR), found["cost"])


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
