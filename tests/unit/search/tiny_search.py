"""A search that takes a second, and whose parts can be sent to other processes.

As a program, ``python -m tests.unit.search.tiny_search FOLDER N``, it searches with N processes.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np

from hwsim.executors import WorkerProcesses
from hwsim.search import Pictures, SearchRequest, SearchResult, Target, search
from quant.graph import Graph, Size
from quant.policy import BitPolicy
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.machines import machine, prices

SIZE = Size(8, 8)
MACHINE = machine(sram_kib=64, array=8, fusion=False)  # schedules in no time
TARGET = Target(MACHINE, prices(MACHINE), SIZE)
REQUEST = SearchRequest(SIZE, widths=(3, 5, 8), front_points=4, uniform_widths=(3, 8))
RANDOM = np.random.default_rng(3)
PICTURES = Pictures(
    [RANDOM.integers(0, 256, (6, 7, 3), np.int32)], [RANDOM.uniform(0, 255, (12, 14, 3))]
)


def build_graph(policy: BitPolicy) -> Graph:
    """A graph of random weights as wide as the policy says."""
    bits = policy.resolve(edsr_layers(1))
    return edsr_graph(
        1, 4, bits={name: (each.weight_bits, each.activation_bits) for name, each in bits.items()}
    )


def tiny_search(
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
) -> SearchResult:
    """The search."""
    return search(REQUEST, build_graph, PICTURES, TARGET, folder, progress, executor)


if __name__ == "__main__":
    with WorkerProcesses(int(sys.argv[2])) as processes:
        tiny_search(Path(sys.argv[1]), executor=processes)
