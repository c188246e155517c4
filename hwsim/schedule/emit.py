"""Commands of one group: walk strips, steps and weight blocks, loading one step ahead."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise

from hwsim.schedule.commands import (
    Command,
    ConvolutionSettings,
    Convolve,
    Elementwise,
    LoadConstants,
    LoadRows,
    StoreRows,
)
from hwsim.schedule.layout import Allocation, WeightBlock
from hwsim.schedule.program import Tiling
from hwsim.schedule.storage import Block, DramTensor, Rows
from hwsim.schedule.tiling import Problem
from quant.graph import Add, Convolution, Node, Padding, PixelShuffle, Requantize


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of the group's grid: rows y0 to y1, columns x0 to x1, ends excluded.

    ``running_row`` numbers grid rows through all strips, top to bottom, strip after strip.
    """

    y0: int
    y1: int
    x0: int
    x1: int
    running_row: int
    strip: int


@dataclass(slots=True)
class Item:
    """A piece of work: what it needs loaded, what it computes, what it stores."""

    loads: list[Command] = field(default_factory=list)
    computes: list[Command] = field(default_factory=list)
    stores: list[Command] = field(default_factory=list)


def emit_group(
    index: int,
    problem: Problem,
    tiling: Tiling,
    allocation: Allocation,
    blocks: list[WeightBlock],
) -> Iterator[Command]:
    """The commands of a group, each item's loads issued before the item ahead of it computes."""
    items = _Emitter(index, problem, tiling, allocation, blocks).items()
    for ahead, item in pairwise(chain((Item(),), items, (Item(),))):
        yield from item.loads
        yield from ahead.computes
        yield from ahead.stores


class _Emitter:
    """Builds the items of one group in execution order."""

    def __init__(
        self,
        index: int,
        problem: Problem,
        tiling: Tiling,
        allocation: Allocation,
        blocks: list[WeightBlock],
    ) -> None:
        self.index = index
        self.problem = problem
        self.tiling = tiling
        self.allocation = allocation
        self.blocks = blocks
        self.group = problem.group
        self.resident = len(allocation.weights) < 2
        self.turn = 0
        self.loaded_rows = 0
        self.elementwise = [
            (node.name, node.inputs, node.operator)
            for node in self.group.nodes
            if isinstance(node.operator, Add | Requantize)
        ]
        self.stores = [_store_plan(problem, node) for node in self.group.stored]

    def items(self) -> Iterator[Item]:
        convolution = self.group.convolution
        if convolution is None:
            for tile in self._tiles():
                rows = self._rows(tile)
                yield self._finish(Item(loads=self._operand_loads(tile, rows)), tile, rows)
            return
        settings = _settings(convolution)
        for tile in self._tiles():
            yield from self._convolution_items(convolution, settings, tile)

    def _tiles(self) -> Iterator[Tile]:
        grid = self.problem.grid
        running_row = 0
        for strip, x0 in enumerate(range(0, grid.width, self.tiling.columns)):
            x1 = min(x0 + self.tiling.columns, grid.width)
            for y0 in range(0, grid.height, self.tiling.rows):
                y1 = min(y0 + self.tiling.rows, grid.height)
                yield Tile(y0, y1, x0, x1, running_row, strip)
                running_row += y1 - y0

    def _rows(self, tile: Tile) -> dict[str, Rows]:
        """Where a tile of each tensor lies: loaded as an operand, or computed in the group."""
        first, count, columns = tile.running_row, tile.y1 - tile.y0, tile.x1 - tile.x0
        return {
            name: Rows(buffer, first, count, columns)
            for name, buffer in chain(
                self.allocation.operands.items(), self.allocation.outputs.items()
            )
        }

    def _convolution_items(
        self, convolution: Convolution, settings: ConvolutionSettings, tile: Tile
    ) -> Iterator[Item]:
        rows = self._rows(tile)
        name = self.group.anchor.name
        window, padding, row_load = self._input_window(convolution, tile)
        for block in self.blocks:
            item = Item()
            if block.first_channel == 0:
                item.loads += [row_load] if row_load is not None else []
                item.loads += self._operand_loads(tile, rows)
            slot = 0 if self.resident else self.turn % 2
            weights = _sized(self.allocation.weights[slot], block.weight_bytes)
            parameters = _sized(self.allocation.parameters[slot], block.parameter_bytes)
            if not self.resident or self.turn == 0:
                item.loads.append(LoadConstants(self.index, block.address, weights))
                item.loads.append(LoadConstants(self.index, block.parameter_address, parameters))
            self.turn += 1
            item.computes.append(
                Convolve(
                    self.index,
                    name,
                    window,
                    rows[name],
                    weights,
                    parameters,
                    tile.y0,
                    tile.x0,
                    block.first_channel,
                    block.channels,
                    padding,
                    settings,
                )
            )
            last = block is self.blocks[-1]
            yield self._finish(item, tile, rows) if last else item

    def _input_window(
        self, convolution: Convolution, tile: Tile
    ) -> tuple[Rows, Padding, LoadRows | None]:
        """The input rows a tile reads, the padding around them, and the load of the new ones."""
        buffer = self.allocation.input
        assert buffer is not None
        tensor = self.problem.tensors[self.group.anchor.inputs[0]]
        height, width = tensor.size.height, tensor.size.width
        top, left = tile.y0 - convolution.padding.top, tile.x0 - convolution.padding.left
        bottom = tile.y1 - convolution.padding.top + convolution.kernel[0] - 1
        right = tile.x1 - convolution.padding.left + convolution.kernel[1] - 1
        padding = Padding(
            max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)
        )
        first, last = max(0, top), min(height, bottom)
        column, columns = max(0, left), min(width, right) - max(0, left)
        base = tile.strip * height
        window = Rows(buffer, base + first, last - first, columns)
        start = max(first, self.loaded_rows - base)
        self.loaded_rows = base + last
        if start >= last:
            return window, padding, None
        fresh = Rows(buffer, base + start, last - start, columns)
        return window, padding, LoadRows(self.index, tensor, start, column, fresh)

    def _operand_loads(self, tile: Tile, rows: dict[str, Rows]) -> list[Command]:
        tensors = self.problem.tensors
        return [
            LoadRows(self.index, tensors[name], tile.y0, tile.x0, rows[name])
            for name in self.allocation.operands
        ]

    def _finish(self, item: Item, tile: Tile, rows: dict[str, Rows]) -> Item:
        """Append the elementwise operators of the group and the stores of a tile."""
        for name, inputs, operator in self.elementwise:
            operands = tuple([rows[source] for source in inputs])
            item.computes.append(Elementwise(self.index, name, operands, rows[name], operator))
        for source, tensor, factor in self.stores:
            row, column = tile.y0 * factor, tile.x0 * factor
            item.stores.append(StoreRows(self.index, rows[source], tensor, row, column, factor))
        return item


def _store_plan(problem: Problem, node: Node) -> tuple[str, DramTensor, int]:
    """What a stored node's tiles are taken from, where they go, and the factor of its shuffle."""
    tensor = problem.tensors[node.name]
    if isinstance(node.operator, PixelShuffle):
        return node.inputs[0], tensor, node.operator.factor
    return node.name, tensor, 1


def _sized(slot: Block, size_bytes: int) -> Block:
    return Block(slot.name, slot.address, size_bytes)


def _settings(convolution: Convolution) -> ConvolutionSettings:
    requantization = convolution.requantization
    return ConvolutionSettings(
        convolution.kernel,
        convolution.weight_type,
        convolution.pad_code,
        requantization.zero_point,
        requantization.low,
        requantization.high,
        requantization.rounding,
        requantization.destination_scale,
        requantization.zero_point_first,
        convolution.accumulator,
    )
