"""The whole graph operator by operator on whole feature maps: what every schedule must equal.

Two arithmetics run it: the slow reference that reads like the operator pages, and the fast
kernels. Neither knows tiles, memories or addresses.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hwsim.machine.arithmetic import Arithmetic, Codes
from quant.graph import Graph, Input


def run_layerwise(
    graph: Graph,
    image: NDArray[np.int32],
    arithmetic: Arithmetic,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.int32]:
    """Codes of a graph's output for the codes of an image.

    Args:
        graph: a verified graph.
        image: int32 [height, width, channels].
        arithmetic: `REFERENCE` or `KERNELS`.
        progress: called with nodes done and nodes in all.

    Returns:
        int32 [height, width, channels].
    """
    types = {node.name: node.output for node in graph.nodes}
    remaining = {name: len(readers) for name, readers in graph.consumers().items()}
    codes: dict[str, Codes] = {}
    for done, node in enumerate(graph.nodes, 1):
        if isinstance(node.operator, Input):
            codes[node.name] = image
        else:
            codes[node.name] = arithmetic.compute(
                node.operator,
                [types[name] for name in node.inputs],
                [codes[name] for name in node.inputs],
            )
        for name in dict.fromkeys(node.inputs):
            remaining[name] -= 1
            if remaining[name] == 0 and name != graph.output:
                del codes[name]
        if progress is not None:
            progress(done, len(graph.nodes))
    return codes[graph.output].astype(np.int32)
