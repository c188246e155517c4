"""A graph and an accelerator must agree on what sums are kept in."""

from accelerators import Accelerator
from hwsim.schedule.expansion import expanded
from hwsim.schedule.groups import ScheduleError
from quant.graph import (
    Convolution,
    Graph,
    Node,
    ScaledConvolution,
    TensorType,
    accumulator_bits,
    can_overflow,
    scaled_sum_bits,
    with_accumulators,
)
from quant.graph.adaptive import AdaptiveGraph


def as_computed_by(graph: Graph, accelerator: Accelerator) -> Graph:
    """The graph as the accelerator computes it: what can overflow there declares its accumulator.

    Where an overflow is an error the graph stays as it is, to be refused if any sum could.
    """
    if accelerator.array.accumulator.overflow == "error":
        return graph
    return declared(graph, accelerator)


def all_as_computed(
    graph: Graph | AdaptiveGraph, accelerator: Accelerator, overflow: str | None = None
) -> Graph | AdaptiveGraph:
    """`as_computed_by` of a graph, or of each of several that an image chooses among.

    Args:
        graph: the graph as it was made.
        accelerator: the machine.
        overflow: what was asked for of sums that leave accumulators; if anything was, ``error``
            included, what can overflow declares it: such a graph is not refused, but its run ends
            at the first sum that does. None takes the machine's own way.
    """
    change = as_computed_by if overflow is None else declared
    if isinstance(graph, Graph):
        return change(graph, accelerator)
    return graph.with_graphs(tuple(change(part, accelerator) for part in graph.graphs()))


def declared(graph: Graph, accelerator: Accelerator) -> Graph:
    """The graph in the accelerator's operators, with its accumulators where those can overflow."""
    return with_accumulators(expanded(graph), accelerator.array.accumulator)


def check_accumulators(graph: Graph, accelerator: Accelerator) -> None:
    """Refuse a convolution whose sums are not those of the accelerator's accumulators.

    One that declares an accumulator needs exactly that; one that does not must be unable to
    overflow.

    Raises:
        ScheduleError: there is such a convolution.
    """
    for node in graph.convolutions():
        convolution = node.operator
        assert isinstance(convolution, Convolution)
        if isinstance(convolution, ScaledConvolution):
            _check_scaled_width(node, convolution, accelerator)
        elif convolution.accumulator is None:
            _check_width(node, graph.node(node.inputs[0]).output, accelerator)
        elif convolution.accumulator != accelerator.array.accumulator:
            raise ScheduleError(
                f"operator '{node.name}': declares an accumulator of {convolution.accumulator}, "
                f"accelerator '{accelerator.name}' has one of {accelerator.array.accumulator}; "
                "give a machine whose array.accumulator_bits and accumulator_overflow are these"
            )


def _check_scaled_width(
    node: Node, convolution: ScaledConvolution, accelerator: Accelerator
) -> None:
    """Refuse a scaled convolution whose sums could leave the scaler's accumulators."""
    needed, available = scaled_sum_bits(convolution), accelerator.channel_scaler.accumulator_bits
    if needed > available:
        raise ScheduleError(
            f"operator '{node.name}': its sums of scaled channels need an accumulator of {needed} "
            f"bits, accelerator '{accelerator.name}' has {available}; use fewer bits for this "
            "layer or a larger channel_scaler.accumulator_bits"
        )


def _check_width(node: Node, operand: TensorType, accelerator: Accelerator) -> None:
    """Refuse a convolution without a declared accumulator that could overflow the machine's."""
    assert isinstance(node.operator, Convolution)
    available = accelerator.array.accumulator
    if not can_overflow(node.operator, operand.integer, available):
        return
    if available.overflow == "error":
        raise ScheduleError(
            f"operator '{node.name}': its sums need an accumulator of "
            f"{accumulator_bits(node, operand)} bits, accelerator '{accelerator.name}' has "
            f"{available.bits}; use fewer bits for this layer or a larger array.accumulator_bits"
        )
    raise ScheduleError(
        f"operator '{node.name}': its sums can leave the accumulator of accelerator "
        f"'{accelerator.name}' ({available}), and the graph says nothing of it; "
        "give what quant.graph.with_accumulators makes of the graph"
    )
