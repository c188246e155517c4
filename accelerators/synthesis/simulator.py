"""A netlist at work on 64 streams of operands at once: the integers it makes and its toggles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis import _kernels
from accelerators.synthesis.netlist import Netlist
from accelerators.synthesis.timing import timing_of
from quant.common.errors import UserError

Integers = NDArray[np.int64]

STREAMS = _kernels.STREAMS
"""Streams that run side by side."""

MEAN_DELAY = 12
"""Steps of time of the mean gate's delay; five times as long is the longest that is told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Toggles:
    """How often each net changed, all streams and counted cycles together, [nets] each.

    Attributes:
        cycles: counted cycles times streams.
        settled: between the ends of cycles, as if gates had no delay.
        unit: with every change in between, where each gate has a delay of one.
        delayed: likewise with the delays of the library, which swallow pulses that are shorter.
    """

    cycles: int
    settled: NDArray[np.int64]
    unit: NDArray[np.int64]
    delayed: NDArray[np.int64]

    @property
    def calibrated(self) -> NDArray[np.float64]:
        """The mean of those without delays and with a delay of one."""
        return (self.settled + self.unit) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What a netlist did.

    Attributes:
        outputs: of each output port, [cycles, streams].
        toggles: of its nets.
    """

    outputs: dict[str, Integers]
    toggles: Toggles


class Simulator:
    """Runs one netlist."""

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self.timing = timing_of(netlist)

    def run(
        self,
        stimulus: Mapping[str, Integers],
        warm_up: int = 0,
        record: Sequence[str] | None = None,
    ) -> Simulation:
        """Run from all flip-flops and inputs at 0.

        A port's value in cycle t is there from the clock edge that begins cycle t; an output in
        cycle t is what it has settled to before the edge that ends it.

        Args:
            stimulus: of every input port but the clock, int64 [cycles, streams].
            warm_up: cycles in front whose toggles do not count.
            record: output ports, of at most 64 bits each; None for all.

        Raises:
            UserError: a port is missing or unknown.
        """
        netlist = self.netlist
        if set(stimulus) != set(netlist.inputs):
            wrong = sorted(set(stimulus) ^ set(netlist.inputs))
            raise UserError(
                f"the netlist of '{netlist.name}': expected a stimulus for each of its input ports "
                f"{', '.join(sorted(netlist.inputs))}; {', '.join(wrong)} is missing or unknown"
            )
        words = self._words(stimulus)
        ports = [*netlist.outputs] if record is None else [*record]
        nets = [np.zeros(0, np.int32), *(netlist.outputs[port] for port in ports)]
        circuit = self._circuit._replace(outputs=np.concatenate(nets))
        unit = np.ones_like(self.delay_steps)
        recorded = np.zeros((len(words), len(circuit.outputs)), np.uint64)
        settled, of_unit, repeated, delayed = np.zeros((4, netlist.nets), np.int64)
        for delays, still, moving in (
            (unit, settled, of_unit),
            (self.delay_steps, repeated, delayed),
        ):
            timed = circuit._replace(delay=delays)
            _kernels.simulate_circuit(timed, words, warm_up, recorded, still, moving)
        counted = max(len(words) - warm_up, 0) * STREAMS
        return Simulation(
            self._outputs(recorded, ports), Toggles(counted, settled, of_unit, delayed)
        )

    @cached_property
    def _circuit(self) -> _kernels.Circuit:
        netlist = self.netlist
        gates, flip_flops = netlist.gates, netlist.flip_flops
        readers = np.repeat(np.arange(len(gates), dtype=np.int32), np.diff(gates.first_input))
        order = np.argsort(gates.inputs, kind="stable")
        read = np.bincount(gates.inputs, minlength=netlist.nets)
        driven = np.concatenate([gates.output, flip_flops.output, *netlist.inputs.values()])
        return _kernels.Circuit(
            driven,
            np.ones((len(driven), 2), np.int32),
            gates.inputs,
            gates.first_input,
            gates.truth,
            readers[order],
            np.cumsum([0, *read]).astype(np.int32),
            flip_flops.data,
            np.where(flip_flops.is_inverted, ~np.uint64(0), np.uint64(0)),
            np.zeros(0, np.int32),
        )

    @property
    def driven_nets(self) -> NDArray[np.int32]:
        """The net of each driver: gates, then flip-flops, then input ports, [drivers]."""
        return self._circuit.driven

    @cached_property
    def delay_steps(self) -> NDArray[np.int32]:
        """Of each driver's fall and rise, in steps of time, [drivers, 2]."""
        delays = self.timing.delays_ns[self._circuit.driven]
        mean = delays[: len(self.netlist.gates)].mean() if len(self.netlist.gates) else 1.0
        steps = np.rint(MEAN_DELAY * delays / mean)
        return np.clip(steps, 1, _kernels.SLOTS - 1).astype(np.int32)

    def _words(self, stimulus: Mapping[str, Integers]) -> NDArray[np.uint64]:
        planes = []
        for port, nets in self.netlist.inputs.items():
            integers = np.ascontiguousarray(stimulus[port], np.int64)
            planes.append(np.zeros((len(integers), len(nets)), np.uint64))
            _kernels.into_words(integers, planes[-1])
        return np.concatenate(planes, axis=1)

    def _outputs(self, recorded: NDArray[np.uint64], ports: Sequence[str]) -> dict[str, Integers]:
        outputs, place = {}, 0
        for port in ports:
            nets = self.netlist.outputs[port]
            words = np.ascontiguousarray(recorded[:, place : place + len(nets)])
            place += len(nets)
            outputs[port] = np.zeros((len(words), STREAMS), np.int64)
            _kernels.into_integers(words, port in self.netlist.signed, outputs[port])
        return outputs
