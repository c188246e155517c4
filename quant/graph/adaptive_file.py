"""Adaptive graphs as files, and files of either kind of graph.

The file is that of one graph (`quant.graph.serialization`), with a record of four of them. Arrays
that several graphs share, such as weights, are stored once.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quant.graph.adaptive import AdaptiveGraph, verify_adaptive
from quant.graph.graph import Graph
from quant.graph.records import (
    Arrays,
    RecordError,
    graph_from_record,
    graph_to_record,
    integer_entry,
    list_entry,
    named_entries,
    typed_entry,
)
from quant.graph.serialization import (
    ADAPTIVE_FORMAT,
    FORMAT,
    read_container,
    save_graph,
    write_container,
)
from quant.graph.verifier import verify

AnyGraph = Graph | AdaptiveGraph

_KEYS = (
    "name",
    "graphs",
    "shared",
    "lower",
    "upper",
    "fraction_bits",
    "complexity_unit",
    "frequencies",
    "metadata",
)
_GRAPHS = ("selector", "low", "middle", "high")


def save_any_graph(graph: AnyGraph, path: Path) -> None:
    """Write either kind of graph to one file, whole or not at all.

    Raises:
        UserError: the file cannot be written.
        GraphError: the graph breaks a rule.
    """
    if isinstance(graph, Graph):
        save_graph(graph, path)
        return
    arrays, shared = _Shared(), {}
    records = []
    for place, part in zip(_GRAPHS, verify_adaptive(graph).graphs(), strict=True):
        own: Arrays = {}
        records.append(graph_to_record(part, own))
        for name, values in own.items():
            shared[f"{place}/{name}"] = arrays.name_of(f"{place}/{name}", values)
    record = {
        "name": graph.name,
        "graphs": records,
        "shared": {name: stored for name, stored in shared.items() if name != stored},
        "lower": graph.lower,
        "upper": graph.upper,
        "fraction_bits": graph.fraction_bits,
        "complexity_unit": graph.complexity_unit,
        "frequencies": list(graph.frequencies),
        "metadata": dict(graph.metadata),
    }
    write_container(path, ADAPTIVE_FORMAT, record, arrays.stored)


def load_any_graph(path: Path) -> AnyGraph:
    """Read a file of either kind of graph, and check every rule.

    Raises:
        UserError: the file is missing, damaged, of another kind or version, or breaks a rule; the
            message names the file.
    """

    def read_graph(record: object, arrays: Arrays) -> AnyGraph:
        return verify(graph_from_record(record, arrays))

    return read_container(path, {FORMAT: read_graph, ADAPTIVE_FORMAT: _read_adaptive})


class _Shared:
    """Arrays, each content once."""

    def __init__(self) -> None:
        self.stored: Arrays = {}
        self._names: dict[tuple[object, ...], str] = {}

    def name_of(self, name: str, values: NDArray[np.int64]) -> str:
        """Under which name an array is stored: an equal one's, else its own."""
        key = values.shape, values.astype(np.int64).tobytes()
        known = self._names.setdefault(key, name)
        if known == name:
            self.stored[name] = values
        return known


def _read_adaptive(record: object, arrays: Arrays) -> AnyGraph:
    fields = named_entries(record, "adaptive graph", _KEYS)
    remaining = _parts(arrays, typed_entry(fields["shared"], dict, "shared"))
    records = list_entry(fields["graphs"], "graphs")
    if len(records) != len(_GRAPHS):
        raise RecordError(f"graphs: expected {len(_GRAPHS)}, found {len(records)}")
    selector, low, middle, high = (
        graph_from_record(part, remaining[place])
        for place, part in zip(_GRAPHS, records, strict=True)
    )
    metadata = typed_entry(fields["metadata"], dict, "metadata")
    for value in metadata.values():
        typed_entry(value, str, "metadata")
    counts = [integer_entry(c, "frequencies") for c in list_entry(fields["frequencies"], "counts")]
    if len(counts) != 3:
        raise RecordError(f"frequencies: expected 3, found {len(counts)}")
    numbers = {
        name: integer_entry(fields[name], name)
        for name in ("lower", "upper", "fraction_bits", "complexity_unit")
    }
    return verify_adaptive(
        AdaptiveGraph(
            name=typed_entry(fields["name"], str, "name"),
            selector=selector,
            variants=(low, middle, high),
            frequencies=(counts[0], counts[1], counts[2]),
            metadata=metadata,
            **numbers,
        )
    )


def _parts(arrays: Arrays, shared: Mapping[str, object]) -> dict[str, Arrays]:
    """The arrays of each graph under their own names; shared ones are the same object."""
    parts: dict[str, Arrays] = {place: {} for place in _GRAPHS}
    places = {name: name for name in arrays} | dict(shared)
    for name, stored in places.items():
        place, _, own = name.partition("/")
        if place not in parts or not isinstance(stored, str) or stored not in arrays:
            raise RecordError(f"array '{name}': expected a graph and an array it is, found neither")
        parts[place][own] = arrays[stored]
    return parts
