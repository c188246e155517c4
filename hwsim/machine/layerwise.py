"""The whole graph operator by operator on whole feature maps: what every schedule must equal.

Two arithmetics run it: the slow reference that reads like the operator pages, and the fast
kernels. Neither knows tiles, memories or addresses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.machine.accumulators import LayerOverflows
from hwsim.machine.arithmetic import Arithmetic, Codes, at_least_int32
from quant.graph import Accumulator, Convolution, Graph, Input, Node, PixelShuffle

Observe = Callable[[Node, Sequence[Codes], Codes], None]
"""(node, the feature maps it read, the one it made): called once for each node."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerwiseExecution:
    """What came out of computing a graph layer by layer.

    Attributes:
        output: [height, width, channels], the codes of the output tensor; int64 if it is a sum
            over a feature map, else int32.
        overflows: of each convolution that declares an accumulator, in graph order.
    """

    output: Codes
    overflows: tuple[LayerOverflows, ...]


def run_layerwise(
    graph: Graph,
    image: NDArray[np.int32],
    arithmetic: Arithmetic,
    progress: Callable[[int, int], None] | None = None,
    observe: Observe | None = None,
) -> Codes:
    """The output of `execute_layerwise` alone."""
    return execute_layerwise(graph, image, arithmetic, progress, observe).output


def execute_layerwise(
    graph: Graph,
    image: NDArray[np.int32],
    arithmetic: Arithmetic,
    progress: Callable[[int, int], None] | None = None,
    observe: Observe | None = None,
) -> LayerwiseExecution:
    """Compute a graph operator by operator.

    Args:
        graph: a verified graph.
        image: int32 [height, width, channels].
        arithmetic: `REFERENCE` or `KERNELS`.
        progress: called with nodes done and nodes in all.
        observe: called with each node's feature maps, which are let go of once they are read.

    Raises:
        AccumulatorOverflow: a sum left an accumulator whose overflow is ``error``.
    """
    types = {node.name: node.output for node in graph.nodes}
    remaining = {name: len(readers) for name, readers in graph.consumers().items()}
    at_once = arithmetic.shuffled is not None and observe is None
    shuffles = _shuffles(graph) if at_once else {}
    codes: dict[str, Codes] = {}
    overflows: list[LayerOverflows] = []
    for done, node in enumerate(graph.nodes, 1):
        operand_types = [types[name] for name in node.inputs]
        operands = [codes[name] for name in node.inputs]
        match node.operator:
            case Input():
                codes[node.name] = image
            case Convolution(accumulator=Accumulator() as accumulator) as convolution:
                ofm, found = arithmetic.accumulate(convolution, operand_types, operands)
                overflows.append(LayerOverflows(node.name, accumulator, ofm.size, found))
                overflows[-1].require_none()
                codes[node.name] = ofm
            case Convolution() as convolution if arithmetic.shuffled and node.name in shuffles:
                codes[node.name] = arithmetic.shuffled(
                    convolution, operand_types, operands, shuffles[node.name]
                )
            case PixelShuffle() if node.inputs[0] in shuffles:
                codes[node.name] = operands[0]  # shuffled when it was computed
            case operator:
                codes[node.name] = arithmetic.compute(operator, operand_types, operands)
        if observe is not None:
            observe(node, [*map(at_least_int32, operands)], at_least_int32(codes[node.name]))
        for name in dict.fromkeys(node.inputs):
            remaining[name] -= 1
            if remaining[name] == 0 and name != graph.output:
                del codes[name]
        if progress is not None:
            progress(done, len(graph.nodes))
    wide = types[graph.output].integer.bits > 32
    output = codes[graph.output].astype(np.int64 if wide else np.int32)
    return LayerwiseExecution(output, tuple(overflows))


def _shuffles(graph: Graph) -> dict[str, int]:
    """Convolutions that only a pixel shuffle in DCR order reads, and its factor."""
    consumers = graph.consumers()
    shuffles = {}
    for node in graph.nodes:
        match node.operator:
            case PixelShuffle(factor=factor, order="dcr"):
                operand = graph.node(node.inputs[0])
                convolution = operand.operator
                is_plain = type(convolution) is Convolution and convolution.accumulator is None
                if is_plain and len(consumers[operand.name]) == 1 and operand.name != graph.output:
                    shuffles[operand.name] = factor
    return shuffles
