"""Loads, edges and delays of a netlist, by the library's tables.

A net's load is that of the input pins on it; wires have none. Edges are followed from the
flip-flops through the gates; input ports are driven by flip-flops of the netlist's own kind, and
the clock has the steepest edge that the library's tables begin with. Where tables tell the inputs
of a cell apart, or edges of a rise and a fall, their mean is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.synthesis.cells import Arc, Cell, Pin
from accelerators.synthesis.netlist import Netlist

Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """How a netlist's nets change.

    Attributes:
        loads_pf: capacitance of the input pins on it, [nets].
        transitions_ns: how long an edge takes, [nets].
        delays_ns: from a change at its driver's inputs, or from the clock's edge, to a fall and
            to a rise, [nets, 2].
    """

    loads_pf: Figures
    transitions_ns: Figures
    delays_ns: Figures


def timing_of(netlist: Netlist) -> Timing:
    """Follow edges through a netlist."""
    loads = np.zeros(netlist.nets)
    for instance in netlist.instances:
        for pin, net in instance.nets.items():
            loads[net] += instance.cell.pins[pin].capacitance_pf
    timing = Timing(loads, np.zeros(netlist.nets), np.zeros((netlist.nets, 2)))
    flop_output = _flip_flop_output(netlist)
    clock_ns = 0.0 if flop_output is None else flop_output.clock_transition_ns
    if netlist.clock is not None:
        timing.transitions_ns[netlist.clock] = clock_ns
    if flop_output is not None:
        ports = [int(net) for nets in netlist.inputs.values() for net in nets]
        for net in [*ports, *(int(net) for net in netlist.flip_flops.output)]:
            _settle(timing, net, flop_output.pin, {"": clock_ns})
    for net in netlist.gates.output:
        instance, pin = netlist.drivers[int(net)]
        edges = {
            name: float(timing.transitions_ns[instance.nets[name]])
            for name in instance.cell.input_names
        }
        _settle(timing, int(net), instance.cell.pins[pin], edges)
    return timing


@dataclass(frozen=True, slots=True, eq=False)
class _FlipFlopOutput:
    pin: Pin
    clock_transition_ns: float


def _flip_flop_output(netlist: Netlist) -> _FlipFlopOutput | None:
    """What drives input ports; None where nothing is clocked, so that their edges are steps."""
    for instance in netlist.instances:
        if instance.cell.flip_flop is not None:
            output = next(pin for pin in instance.cell.pins.values() if pin.is_output)
            return _FlipFlopOutput(output, _steepest_ns(instance.cell))
    return None


def _steepest_ns(cell: Cell) -> float:
    return min(
        float(arc.table.transitions_ns[0])
        for pin in cell.pins.values()
        for arc in (*pin.energies_pj, *pin.rise_delays_ns)
    )


def _settle(timing: Timing, net: int, pin: Pin, edges_ns: dict[str, float]) -> None:
    load = float(timing.loads_pf[net])
    timing.transitions_ns[net] = max(mean_of(pin.transitions_ns, load, edges_ns), 0.0)
    for place, arcs in enumerate((pin.fall_delays_ns, pin.rise_delays_ns)):
        timing.delays_ns[net, place] = max(mean_of(arcs, load, edges_ns), 0.0)


def mean_of(arcs: Sequence[Arc], load_pf: float, edges_ns: dict[str, float]) -> float:
    """The mean over arcs, each with the edge of its own pin; 0 without arcs.

    Args:
        arcs: of an output, or of an input pin.
        load_pf: of the output.
        edges_ns: transition of each input pin; of one that is not named, the longest of them.
    """
    if not arcs:
        return 0.0
    other = max(edges_ns.values(), default=0.0)
    return sum(arc.table.at(load_pf, edges_ns.get(arc.related, other)) for arc in arcs) / len(arcs)
