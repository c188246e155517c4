"""SCALE-Sim's count of a systolic array's cycles and SRAM accesses, for comparisons.

A layer is one matrix product; nothing overlaps from one fold of the array to the next, and memory
always keeps up. Source: SCALE-Sim v2.0.2 and v3.0.0 (``systolic_compute_{os,ws,is}.py``), whose
reports these formulas give exactly: total cycles of a report are those of its folds less one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScaleSimLayer:
    """A layer as SCALE-Sim's topology files state it.

    Attributes:
        pixels: output pixels.
        window: products of an output, kernel area x input channels.
        filters: output channels.
    """

    pixels: int
    window: int
    filters: int

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations."""
        return self.pixels * self.window * self.filters


@dataclass(frozen=True, slots=True)
class ScaleSimAccesses:
    """Operands read from the two input memories and sums written to the output memory."""

    activations: int
    weights: int
    outputs: int


def total_cycles(dataflow: str, rows: int, columns: int, layer: ScaleSimLayer) -> int:
    """The "Total Cycles" of a report.

    ========  ====================================================================
    dataflow  cycles of all folds, of which the report shows one less
    ========  ====================================================================
    ``os``    ceil(pixels / R) ceil(filters / C) (window + R + C - 2)
    ``ws``    ceil(window / R) ceil(filters / C) (pixels + 2R + C - 2)
    ``is``    ceil(window / R) ceil(pixels / C) (filters + 2R + C - 2)
    ========  ====================================================================

    Args:
        dataflow: ``os``, ``ws`` or ``is``.
        rows: R, of the array.
        columns: C.
        layer: the layer.
    """
    down, across, stream = _FOLDED[dataflow](layer)
    load = 0 if dataflow == "os" else rows
    folds = _ceil(down, rows) * _ceil(across, columns)
    return folds * (stream + load + rows + columns - 2) - 1


def accesses(dataflow: str, rows: int, columns: int, layer: ScaleSimLayer) -> ScaleSimAccesses:
    """Accesses of the three memories, without the 64 a fold that v2's output count has too many."""
    pixels, window, filters = layer.pixels, layer.window, layer.filters
    match dataflow:
        case "os":
            return ScaleSimAccesses(
                pixels * window * _ceil(filters, columns),
                window * filters * _ceil(pixels, rows),
                pixels * filters,
            )
        case "ws":
            activations, weights = pixels * window * _ceil(filters, columns), window * filters
        case _:
            activations, weights = pixels * window, window * filters * _ceil(pixels, columns)
    return ScaleSimAccesses(activations, weights, pixels * filters * _ceil(window, rows))


def overall_utilization(dataflow: str, rows: int, columns: int, layer: ScaleSimLayer) -> float:
    """Products as a share of what the array could do in the reported cycles."""
    return layer.macs / (total_cycles(dataflow, rows, columns, layer) * rows * columns)


_FOLDED: Mapping[str, Callable[[ScaleSimLayer], tuple[int, int, int]]] = {
    "os": lambda layer: (layer.pixels, layer.filters, layer.window),
    "ws": lambda layer: (layer.window, layer.filters, layer.pixels),
    "is": lambda layer: (layer.window, layer.pixels, layer.filters),
}
"""What lies along rows and columns, and what streams through them."""


def _ceil(items: int, lanes: int) -> int:
    return -(-items // lanes)
