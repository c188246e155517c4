"""Somebody else's feature maps compared with ours, layer by layer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.machine import KERNELS, Arithmetic, run_layerwise
from hwsim.machine.arithmetic import Codes
from hwsim.verify.checks import Check, Progress, Tally
from hwsim.verify.explanation import explained
from quant.graph import Graph, Node, TensorType

Write = Callable[[str, TensorType, NDArray[Any]], None]


def verify_tensors(
    graph: Graph,
    image: NDArray[np.int32],
    given: Mapping[str, NDArray[np.int32]],
    arithmetic: Arithmetic = KERNELS,
    progress: Progress | None = None,
) -> list[Check]:
    """Compare feature maps with a graph's, computed layer by layer, in the order of the graph.

    Args:
        graph: a verified graph.
        image: int32 [height, width, channels], codes of the input.
        given: by node, int32 of the shape of its feature map.
        arithmetic: what computes ours.
        progress: called with nodes done and nodes in all.

    Returns:
        A check for each given feature map. Its operands are those of our integer, and therefore
        the place to look, in the first check that failed.
    """
    checks: list[Check] = []

    def observe(node: Node, operands: Sequence[Codes], codes: Codes) -> None:
        if node.name not in given:
            return
        types = [graph.node(source).output for source in node.inputs]
        tally = Tally(node.name, "given", f"{node.operator.kind} {node.output.integer}")
        tally.compare(
            node.name,
            given[node.name],
            codes.astype(np.int32),
            lambda index: explained(node.operator, types, operands, index) if operands else (),
        )
        checks.append(tally.close())

    run_layerwise(graph, image, arithmetic, progress, observe)
    return checks


def write_tensors(
    graph: Graph,
    image: NDArray[np.int32],
    write: Write,
    arithmetic: Arithmetic = KERNELS,
    progress: Progress | None = None,
) -> None:
    """Compute a graph layer by layer and hand over every feature map, the input's too.

    Args:
        graph: a verified graph.
        image: int32 [height, width, channels], codes of the input.
        write: takes the name, the type and the integers of each.
        arithmetic: what computes them.
        progress: called with nodes done and nodes in all.
    """
    run_layerwise(
        graph,
        image,
        arithmetic,
        progress,
        lambda node, operands, codes: write(node.name, node.output, codes),
    )
