"""Look-up tables of costs by layer and widths, as searches such as HAQ index them.

HAQ (Wang et al., CVPR 2019) adds up ``table[layer, weight_bits - 1, activation_bits - 1]`` over a
network's layers. An entry here is the layer's own share of the cost of the graph as it is, plus
what the whole network's cost changes by when that layer alone gets the widths. So the entries of
the graph's own widths add up to the cost of its convolutions, and one changed layer to the cost of
that graph, divided into cascades as before; several changed ones nearly (docs/search.md).
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.cost import GroupCost, ProgramCost
from hwsim.estimation import Estimator, FixedDivision
from hwsim.export.request import ExportRequest, Files, write_text
from hwsim.schedule.expansion import expanded
from quant.graph import Graph, GraphError, Node
from quant.graph.bits import layer_operations
from quant.graph.widths import with_layer_bits

JSON_FILE, CSV_FILE = "costs.json", "costs.csv"

Table = NDArray[np.float64]

MEASURES: dict[str, Callable[[GroupCost | ProgramCost], float]] = {
    "cycles": lambda cost: cost.cycles,
    "energy_uj": lambda cost: cost.energy_uj,
    "dram_bytes": lambda cost: cost.dram_read_bytes + cost.dram_write_bytes,
}
"""What is counted, by the name of its table."""


@dataclass(frozen=True, slots=True, eq=False)
class CostTables:
    """The tables of one network on one machine.

    Attributes:
        layers: names of the convolutions.
        widths: (weight bits, activation bits) that each has in the graph.
        tables: [layers, weight bits, activation bits] by measure, bits counted from 1; NaN where a
            pair was not asked for, a layer cannot have it or the machine has no room.
        others: what operators that run with no convolution cost, by measure.
    """

    layers: tuple[str, ...]
    widths: tuple[tuple[int, int], ...]
    tables: dict[str, Table]
    others: dict[str, float]


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write the tables as NumPy arrays, as JSON and as rows of CSV."""
    found = cost_tables(request)
    for measure, table in found.tables.items():
        files.write(f"{measure}.npy", partial(np.save, arr=table, allow_pickle=False))
    write_text(files, JSON_FILE, _json(request, found))
    write_text(files, CSV_FILE, _csv(found))


def cost_tables(request: ExportRequest) -> CostTables:
    """The cost of every layer at every pair of the widths that are asked for."""
    graph = expanded(request.graph)
    division = Estimator(request.accelerator, request.energy).fixed(graph, request.size)
    convolutions = {node.name for node in graph.convolutions()}
    layers = [each for each in layer_operations(graph, request.size) if each.name in convolutions]
    own = {
        name: cost for cost in division.total.groups for name in cost.group.nodes
        if name in convolutions
    }  # fmt: skip
    own_widths = [bits for each in layers for bits in (each.weight_bits, each.activation_bits)]
    most = max(*request.settings.widths, *own_widths)
    tables = {measure: np.full((len(layers), most, most), np.nan) for measure in MEASURES}
    for position, layer in enumerate(layers):
        pairs = {(w, a) for w in request.settings.widths for a in request.settings.widths}
        pairs.add((layer.weight_bits, layer.activation_bits))
        for weight_bits, activation_bits in sorted(pairs):
            changed = _changed(graph, layer.name, weight_bits, activation_bits)
            cost = None if changed is None else division.cost(changed)
            if cost is None:
                continue
            place = position, weight_bits - 1, activation_bits - 1
            for measure, of in MEASURES.items():
                change = of(cost) - of(division.total)
                tables[measure][place] = of(own[layer.name]) + change
        request.progress(position + 1, len(layers))
    return CostTables(
        tuple(layer.name for layer in layers),
        tuple((layer.weight_bits, layer.activation_bits) for layer in layers),
        tables,
        _others(division, convolutions),
    )


def _changed(
    graph: Graph, layer: str, weight_bits: int, activation_bits: int
) -> dict[str, Node] | None:
    """The nodes that differ when a layer has other widths; None where it cannot have them.

    A layer that reads the image has the image's codes whatever is asked for.
    """
    node = graph.node(layer)
    own_bits = graph.node(node.inputs[0]).output.integer.bits
    for bits in (activation_bits, own_bits):
        try:
            return with_layer_bits(graph, {layer: (weight_bits, bits)})
        except GraphError:
            if not _reads_image(graph, node):
                return None
    return None


def _reads_image(graph: Graph, node: Node) -> bool:
    return graph.input.name in node.inputs


def _others(division: FixedDivision, convolutions: set[str]) -> dict[str, float]:
    costs = [cost for cost in division.total.groups if not convolutions & {*cost.group.nodes}]
    return {measure: sum(of(cost) for cost in costs) for measure, of in MEASURES.items()}


def _json(request: ExportRequest, found: CostTables) -> str:
    content: dict[str, Any] = {
        "network": request.graph.name,
        "accelerator": request.accelerator.name,
        "energy_table": request.energy.table.name,
        "input_size": [request.size.height, request.size.width],
        "axes": ["layers", "weight_bits - 1", "activation_bits - 1"],
        "layers": list(found.layers),
        "bits": [list(pair) for pair in found.widths],
        "others": found.others,
        **{measure: _nulled(table) for measure, table in found.tables.items()},
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _nulled(table: Table) -> list[Any]:
    return [
        [[None if np.isnan(entry) else float(entry) for entry in row] for row in layer]
        for layer in table
    ]


def _csv(found: CostTables) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["layer", "weight_bits", "activation_bits", *found.tables])
    known = ~np.isnan(found.tables["cycles"])
    for place in np.argwhere(known):
        position, weight, activation = (int(index) for index in place)
        figures = [f"{table[tuple(place)]:.9g}" for table in found.tables.values()]
        rows.writerow([found.layers[position], weight + 1, activation + 1, *figures])
    return text.getvalue()
