"""A graph and an accelerator must agree on what sums are kept in."""

from accelerators import Accelerator
from hwsim.schedule.expansion import expanded
from hwsim.schedule.groups import ScheduleError
from quant.graph import (
    Convolution,
    Graph,
    Node,
    TensorType,
    accumulator_bits,
    can_overflow,
    with_accumulators,
)


def as_computed_by(graph: Graph, accelerator: Accelerator) -> Graph:
    """The graph as the accelerator computes it: what can overflow there declares its accumulator.

    Where an overflow is an error the graph stays as it is, to be refused if any sum could.
    """
    if accelerator.array.accumulator.overflow == "error":
        return graph
    return declared(graph, accelerator)


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
        if convolution.accumulator is None:
            _check_width(node, graph.node(node.inputs[0]).output, accelerator)
        elif convolution.accumulator != accelerator.array.accumulator:
            raise ScheduleError(
                f"operator '{node.name}': declares an accumulator of {convolution.accumulator}, "
                f"accelerator '{accelerator.name}' has one of {accelerator.array.accumulator}; "
                "give a machine whose array.accumulator_bits and accumulator_overflow are these"
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
