"""Hashes of what a measurement depends on, for the keys it is recorded under."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator, EnergyModel
from quant.graph import Graph
from quant.graph.adaptive import AdaptiveGraph
from quant.graph.records import graph_to_record


def digest(*parts: str) -> str:
    """SHA-256 of texts, as 64 hexadecimal digits."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def graph_identity(graph: Graph | AdaptiveGraph) -> str:
    """Hash of everything in a graph: wiring, types, constants, where it comes from.

    Of graphs that an image chooses among, of all of them.
    """
    if isinstance(graph, AdaptiveGraph):
        return digest(*map(graph_identity, graph.graphs()))
    arrays: dict[str, NDArray[np.int64]] = {}
    record = json.dumps(graph_to_record(graph, arrays), sort_keys=True)
    return digest(record, arrays_identity(arrays[name] for name in sorted(arrays)))


def arrays_identity(arrays: Iterable[NDArray[Any]]) -> str:
    """Hash of the types, shapes and values of arrays, in order."""
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(f"{array.dtype} {array.shape}\n".encode())
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()


def machine_identity(accelerator: Accelerator, energy: EnergyModel) -> str:
    """Hash of a machine and of every price it is charged."""
    prices = json.dumps(energy.prices(), sort_keys=True)
    return digest(accelerator.model_dump_json(), energy.table.model_dump_json(), prices)
