"""Bit Fusion's published performance model, for comparisons: cycles and DRAM bits of a layer.

The rules are those of the simulator published with Sharma et al., "Bit Fusion", ISCA 2018
(hsharma35/bitfusion), in words:

- A layer is cut into tiles of powers of two: images, output rows and columns alike, input channels,
  and output channels (whole array widths, unless a layer is unrolled). Kernels are never cut.
- The five loops over tiles nest in any order. A tile of weights, inputs and outputs each fits half
  its buffer. Walking outwards, a buffer goes on keeping what it holds while that fits; once it does
  not, every further loop loads it again.
- Outputs have 32 bits and are both loaded and stored.
- ``cycles = compute + max(0, ceil(rest / width) - compute) + ceil(first / width) + ceil(last /
  width)``: the first contents of all buffers and the last outputs move while nothing is computed,
  and the rest of the traffic moves beside the computation.
- The order and tiling of fewest cycles is taken. The simulator settles ties by energy, of which
  DRAM bits are by far the greatest part; here ties go to fewest DRAM bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OUTPUT_BITS = 32
Counts = NDArray[np.int64]

_LOOPS = ("images", "rows", "columns", "inputs", "outputs")
_BUFFERS: Mapping[str, frozenset[str]] = {
    "weights": frozenset({"inputs", "outputs"}),
    "activations": frozenset({"images", "rows", "columns", "inputs"}),
    "sums": frozenset({"images", "rows", "columns", "outputs"}),
}
"""The loops whose turns need other contents of a buffer."""


@dataclass(frozen=True, slots=True)
class BitFusionMachine:
    """The array and its buffers; the defaults are the published comparison with Eyeriss.

    Attributes:
        rows: N, across input channels.
        columns: M, across output channels.
        widest_bits: of an operand a fusion unit takes whole.
        narrowest_bits: of an operand, below which none is faster.
        buffer_bytes: capacity by buffer.
        interface_bits: moved to or from DRAM in a cycle.
    """

    rows: int = 16
    columns: int = 32
    widest_bits: int = 8
    narrowest_bits: int = 2
    weight_bytes: int = 65536
    activation_bytes: int = 32768
    output_bytes: int = 16384
    interface_bits: int = 192

    def products(self, weight_bits: int, activation_bits: int) -> int:
        """Products of a fusion unit in a cycle, by integer division of the widest operand."""
        across = self.widest_bits // max(activation_bits, self.narrowest_bits)
        return across * (self.widest_bits // max(weight_bits, self.narrowest_bits))


@dataclass(frozen=True, slots=True)
class BitFusionLayer:
    """A convolution of square images, or a matrix product with kernel and side 1.

    Attributes:
        kernel: side of the kernel.
        side: of the output.
        stride: of the kernel.
        inputs: input channels.
        outputs: output channels.
        weight_bits: of a weight, at most the machine's widest.
        activation_bits: of an input, at most the machine's widest.
        images: computed together.
        is_unrolled: whether windows are laid out beforehand; so for a network's first convolution.
    """

    kernel: int
    side: int
    stride: int
    inputs: int
    outputs: int
    weight_bits: int
    activation_bits: int
    images: int = 16
    is_unrolled: bool = False


class BitFusionCost(NamedTuple):
    """What a layer takes under its best order and tiling."""

    cycles: int
    stall_cycles: int
    dram_read_bits: int
    dram_write_bits: int


def compute_cycles(
    machine: BitFusionMachine,
    layer: BitFusionLayer,
    images: Counts,
    side: Counts,
    inputs: Counts,
    outputs: Counts,
) -> Counts:
    """Cycles the array computes a tile; fusion packs input channels alone.

    Args:
        machine: the array.
        layer: widths and kernel.
        images: of the tile, as the other counts.
        side: output rows, and columns.
        inputs: input channels.
        outputs: output channels.
    """
    depth = machine.rows * machine.products(layer.weight_bits, layer.activation_bits)
    area = layer.kernel**2
    steps = _ceil(area * inputs, depth) if layer.is_unrolled else area * _ceil(inputs, depth)
    return images * _ceil(outputs, machine.columns) * side**2 * steps


def best_cost(machine: BitFusionMachine, layer: BitFusionLayer) -> BitFusionCost:
    """Cycles, stalls and DRAM bits of a layer.

    Raises:
        ValueError: no tile fits the buffers.
    """
    tiles = _tiles(machine, layer)
    sizes = _tile_bits(machine, layer, tiles)
    halves = {
        "weights": 4 * machine.weight_bytes,
        "activations": 4 * machine.activation_bytes,
        "sums": 4 * machine.output_bytes,
    }
    fits = np.logical_and.reduce([sizes[name] <= halves[name] for name in sizes])
    if not fits.any():
        raise ValueError("no tile of the layer fits the buffers")
    tiles = {name: tile[fits] for name, tile in tiles.items()}
    sizes = {name: size[fits] for name, size in sizes.items()}
    extent = {
        "images": layer.images,
        "rows": layer.side,
        "columns": layer.side,
        "inputs": layer.inputs,
        "outputs": layer.outputs,
    }
    turns = {name: _ceil(extent[name], tiles[name]) for name in _LOOPS}
    compute = np.multiply.reduce([turns[name] for name in _LOOPS]) * compute_cycles(
        machine, layer, tiles["images"], tiles["rows"], tiles["inputs"], tiles["outputs"]
    )
    costs = (
        _least(machine, compute, _traffic(order, sizes, turns, halves))
        for order in permutations(_LOOPS)
    )
    return min(costs, key=lambda cost: (cost.cycles, cost.dram_read_bits + cost.dram_write_bits))


def _tiles(machine: BitFusionMachine, layer: BitFusionLayer) -> dict[str, Counts]:
    """Every tiling, as one array of sizes for each loop; rows and columns are cut alike."""
    widths = 1 if layer.is_unrolled else machine.columns
    choices = product(
        _powers(layer.images),
        _powers(layer.side),
        _powers(layer.inputs),
        _powers(layer.outputs, widths),
    )
    images, side, inputs, outputs = np.array(list(choices), np.int64).T
    tiles = (images, side, side, inputs, outputs)
    return dict(zip(_LOOPS, tiles, strict=True))


def _powers(extent: int, unit: int = 1) -> list[int]:
    """Sizes of one, two, four … units up to the extent."""
    steps = (-(-extent // unit) - 1).bit_length()
    return [min(unit << power, extent) for power in range(steps + 1)]


def _tile_bits(
    machine: BitFusionMachine, layer: BitFusionLayer, tiles: Mapping[str, Counts]
) -> dict[str, Counts]:
    depth = machine.rows * machine.products(layer.weight_bits, layer.activation_bits)
    window = layer.kernel**2 * tiles["inputs"]
    if layer.is_unrolled:
        inputs = tiles["rows"] ** 2 * window
    else:
        inputs = (layer.kernel + (tiles["rows"] - 1) * layer.stride) ** 2 * tiles["inputs"]
    outputs = _ceil(tiles["outputs"], machine.columns) * machine.columns
    return {
        "weights": _ceil(window, depth) * depth * tiles["outputs"] * layer.weight_bits,
        "activations": inputs * tiles["images"] * layer.activation_bits,
        "sums": tiles["rows"] ** 2 * outputs * tiles["images"] * OUTPUT_BITS,
    }


class _Traffic(NamedTuple):
    """Bits of each tiling under one order of loops."""

    reads: Counts
    writes: Counts
    first: Counts
    last: Counts


def _traffic(
    order: tuple[str, ...],
    sizes: Mapping[str, Counts],
    turns: Mapping[str, Counts],
    halves: Mapping[str, int],
) -> _Traffic:
    moved, kept = {}, {}
    for name, needed_by in _BUFFERS.items():
        bits = held = sizes[name]
        keeps = np.ones(len(bits), bool)
        for loop in reversed(order):
            bits = bits * np.where(keeps & (loop not in needed_by), 1, turns[loop])
            keeps = keeps & (bits <= halves[name])
            held = np.where(keeps, bits, held)
        moved[name], kept[name] = bits, held
    reads = np.add.reduce(list(moved.values()))
    return _Traffic(reads, moved["sums"], np.add.reduce(list(kept.values())), kept["sums"])


def _least(machine: BitFusionMachine, compute: Counts, traffic: _Traffic) -> BitFusionCost:
    """The best tiling under one order."""
    width = machine.interface_bits
    rest = traffic.reads + traffic.writes - traffic.first - traffic.last
    ends = _ceil(traffic.first, width) + _ceil(traffic.last, width)
    stalls = np.maximum(0, _ceil(rest, width) - compute) + ends
    cycles = compute + stalls
    best = np.lexsort((traffic.reads + traffic.writes, cycles))[0]
    figures = (cycles, stalls, traffic.reads, traffic.writes)
    return BitFusionCost(*(int(figure[best]) for figure in figures))


def _ceil(items: Counts | int, lanes: Counts | int) -> Counts:
    return np.asarray(-(-items // lanes), np.int64)
