"""Commands of one group: walk strips, steps and weight blocks, loading one step ahead."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise

from hwsim.schedule.layout import Allocation, WeightBlock
from hwsim.schedule.program import (
    Block,
    Command,
    ConvolutionSettings,
    Convolve,
    Elementwise,
    LineBuffer,
    LoadConstants,
    LoadRows,
    Rows,
    StoreRows,
    Tiling,
)
from hwsim.schedule.tiling import Problem
from quant.graph import Add, Convolution, Padding, PixelShuffle, Requantize


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

    def items(self) -> Iterator[Item]:
        convolution = self.group.convolution
        if convolution is None:
            for tile in self._tiles():
                yield self._finish(Item(loads=self._operand_loads(tile)), tile)
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

    def _convolution_items(
        self, convolution: Convolution, settings: ConvolutionSettings, tile: Tile
    ) -> Iterator[Item]:
        window, padding, row_load = self._input_window(convolution, tile)
        for block in self.blocks:
            item = Item()
            if block.first_channel == 0:
                item.loads += [row_load] if row_load is not None else []
                item.loads += self._operand_loads(tile)
            slot = 0 if self.resident else self.turn % 2
            if not self.resident or self.turn == 0:
                item.loads += self._constant_loads(block, slot)
            self.turn += 1
            item.computes.append(
                Convolve(
                    self.index,
                    self.group.anchor.name,
                    window,
                    self._rows(self.allocation.outputs[self.group.anchor.name], tile),
                    self._sized(self.allocation.weights[slot], block.weight_bytes),
                    self._sized(self.allocation.parameters[slot], block.parameter_bytes),
                    block.first_channel,
                    block.channels,
                    padding,
                    settings,
                )
            )
            last = block is self.blocks[-1]
            yield self._finish(item, tile) if last else item

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

    def _constant_loads(self, block: WeightBlock, slot: int) -> list[Command]:
        weights = self._sized(self.allocation.weights[slot], block.weight_bytes)
        parameters = self._sized(self.allocation.parameters[slot], block.parameter_bytes)
        return [
            LoadConstants(self.index, block.address, weights),
            LoadConstants(self.index, block.parameter_address, parameters),
        ]

    def _operand_loads(self, tile: Tile) -> list[Command]:
        return [
            LoadRows(
                self.index,
                self.problem.tensors[name],
                tile.y0,
                tile.x0,
                self._rows(buffer, tile),
            )
            for name, buffer in self.allocation.operands.items()
        ]

    def _finish(self, item: Item, tile: Tile) -> Item:
        """Append the elementwise operators of the group and the stores of a tile."""
        for node in self.group.nodes:
            if isinstance(node.operator, Add | Requantize):
                inputs = tuple(self._source(name, tile) for name in node.inputs)
                output = self._rows(self.allocation.outputs[node.name], tile)
                item.computes.append(
                    Elementwise(self.index, node.name, inputs, output, node.operator)
                )
        for node in self.group.stored:
            shuffle = node.operator if isinstance(node.operator, PixelShuffle) else None
            factor = shuffle.factor if shuffle else 1
            item.stores.append(
                StoreRows(
                    self.index,
                    self._source(node.inputs[0] if shuffle else node.name, tile),
                    self.problem.tensors[node.name],
                    tile.y0 * factor,
                    tile.x0 * factor,
                    factor,
                )
            )
        return item

    def _source(self, name: str, tile: Tile) -> Rows:
        """Where a tile of a tensor lies: computed in the group, or loaded as an operand."""
        outputs = self.allocation.outputs
        return self._rows(outputs.get(name) or self.allocation.operands[name], tile)

    @staticmethod
    def _rows(buffer: LineBuffer, tile: Tile) -> Rows:
        return Rows(buffer, tile.running_row, tile.y1 - tile.y0, tile.x1 - tile.x0)

    @staticmethod
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
    )
