"""Commands of one group: walk strips, steps and weight blocks, loading one step ahead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, pairwise

from hwsim.schedule.allocation import Allocation
from hwsim.schedule.commands import (
    Accumulate,
    Command,
    ConvolutionSettings,
    Convolve,
    Elementwise,
    Interpolate,
    LoadConstants,
    LoadRows,
    ScalingOperands,
    StoreRows,
)
from hwsim.schedule.groups import is_reduction, is_remap
from hwsim.schedule.layout import GroupConstants
from hwsim.schedule.program import Tiling
from hwsim.schedule.roles import Role, role
from hwsim.schedule.storage import Block, DramTensor, Rows
from hwsim.schedule.tiling import Problem
from hwsim.schedule.windows import Span
from quant.graph import (
    BilinearResize,
    NearestResize,
    Node,
    Padding,
    PixelShuffle,
    Statistics,
)


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
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class InputWindow:
    """What a tile reads of its anchor's input: rows in SRAM, and their place in the image."""

    rows: Rows
    down: Span
    across: Span


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
    constants: GroupConstants,
) -> Iterator[Command]:
    """The commands of a group, each item's loads issued before the item ahead of it computes."""
    items = _Emitter(index, problem, tiling, allocation, constants).items()
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
        constants: GroupConstants,
    ) -> None:
        self.index = index
        self.problem = problem
        self.tiling = tiling
        self.allocation = allocation
        self.constants = constants
        self.group = problem.group
        self.anchor = problem.group.anchor
        self.resident = len(allocation.weights) < 2
        # Where each block of weights and its parameters may lie: in either slot or the only one.
        self.slots = [
            [
                (_sized(weights, block.weight_bytes), _sized(parameters, block.parameter_bytes))
                for weights, parameters in zip(
                    allocation.weights, allocation.parameters, strict=True
                )
            ]
            for block in constants.weights
        ]
        self.turn = 0
        self.loaded_rows = 0
        if (axes := problem.axes) is not None:
            down, across = axes
            # Strips read the same rows, and the tiles of a strip the same columns.
            self.down, self.across = cache(down.span), cache(across.span)
            self.strip_rows = down.span(0, self.group.grid.height).last
        self.elementwise = [
            node for node in self.group.nodes if role(node.operator) is Role.ELEMENTWISE
        ]
        self.stores = [_store_plan(problem, node) for node in self.group.stored]
        convolution = self.group.convolution
        self.settings = None if convolution is None else ConvolutionSettings.of(convolution)

    def items(self) -> Iterator[Item]:
        """The items of all tiles."""
        kind = role(self.anchor.operator)
        for tile in self._tiles():
            rows = self._rows(tile)
            loads = [*(self._lasting_loads() if tile.is_first else ())]
            window = None
            if self.group.is_windowed:
                window, fresh = self._window(tile)
                loads += fresh
            loads += self._operand_loads(tile, rows)
            yield from _ANCHORS.get(kind, _Emitter._no_anchor)(self, tile, rows, loads, window)

    def _tiles(self) -> Iterator[Tile]:
        grid, tiling = self.problem.group.grid, self.tiling
        running_row = 0
        for strip, x0 in enumerate(range(0, grid.width, tiling.columns)):
            x1 = min(x0 + tiling.columns, grid.width)
            for y0 in range(0, grid.height, tiling.rows):
                y1 = min(y0 + tiling.rows, grid.height)
                last = x1 == grid.width and y1 == grid.height
                yield Tile(y0, y1, x0, x1, running_row, strip, running_row == 0, last)
                running_row += y1 - y0

    def _rows(self, tile: Tile) -> dict[str, Rows]:
        """Where a tile of each tensor lies: loaded as an operand, or computed in the group."""
        first, count, columns = tile.running_row, tile.y1 - tile.y0, tile.x1 - tile.x0
        rows = {
            name: Rows(buffer, first, count, columns)
            for name, buffer in chain(
                self.allocation.operands.items(), self.allocation.outputs.items()
            )
        }
        for name, buffer in self.allocation.pixels.items():
            rows[name] = Rows(buffer, 0, 1, 1)
        return rows

    def _lasting_loads(self) -> Iterator[Command]:
        """What is loaded once and stays: constants of the vector unit and single pixels."""
        for name, place in self.constants.vectors.items():
            yield LoadConstants(self.index, place.address, self.allocation.vectors[name])
        for name, buffer in self.allocation.pixels.items():
            tensor = self.problem.tensors[name]
            yield LoadRows(self.index, tensor, 0, 0, Rows(buffer, 0, 1, 1))

    def _window(self, tile: Tile) -> tuple[InputWindow, list[Command]]:
        """The input rows a tile reads, and the load of those that are not there yet."""
        buffer = self.allocation.input
        assert buffer is not None
        tensor = self.problem.tensors[self.anchor.inputs[0]]
        down, across = self.down(tile.y0, tile.y1), self.across(tile.x0, tile.x1)
        # Rows are numbered through all strips, each as high as what its outputs read in all.
        base = tile.strip * self.strip_rows
        start = max(down.first, self.loaded_rows - base)
        self.loaded_rows = base + down.last
        loads: list[Command] = []
        if start < down.last:
            fresh = Rows(buffer, base + start, down.last - start, across.count)
            loads.append(LoadRows(self.index, tensor, start, across.first, fresh))
        rows = Rows(buffer, base + down.first, down.count, across.count)
        return InputWindow(rows, down, across), loads

    def _operand_loads(self, tile: Tile, rows: dict[str, Rows]) -> list[Command]:
        tensors = self.problem.tensors
        return [
            LoadRows(self.index, tensors[name], tile.y0, tile.x0, rows[name])
            for name in self.allocation.operands
        ]

    def _convolution(
        self, tile: Tile, rows: dict[str, Rows], loads: list[Command], window: InputWindow | None
    ) -> Iterator[Item]:
        """An item for each block of weights; the tile's loads belong to the first."""
        assert window is not None
        assert self.settings is not None
        down, across = window.down, window.across
        padding = Padding(down.before, down.behind, across.before, across.behind)
        item = Item(loads)
        for block, slots in zip(self.constants.weights, self.slots, strict=True):
            weights, parameters = slots[self.turn % len(slots)]
            scaling = self._scaling(rows) if self.settings.scaling is not None else None
            if not self.resident or self.turn == 0:
                item.loads.append(LoadConstants(self.index, block.address, weights))
                item.loads.append(LoadConstants(self.index, block.parameter_address, parameters))
            self.turn += 1
            item.computes.append(
                Convolve(
                    self.index,
                    self.anchor.name,
                    window.rows,
                    rows[self.anchor.name],
                    weights,
                    parameters,
                    tile.y0,
                    tile.x0,
                    block.first_channel,
                    block.channels,
                    padding,
                    self.settings,
                    scaling,
                )
            )
            last = block is self.constants.weights[-1]
            yield self._finish(item, tile, rows) if last else item
            item = Item()

    def _scaling(self, rows: dict[str, Rows]) -> ScalingOperands:
        """What a scaled convolution reads besides, with the weights whose turn it is."""
        prepared = self.allocation.prepared
        block = prepared[self.turn % len(prepared)] if prepared else None
        # What is made of weights that take turns is made anew with each load; all else stays.
        is_fresh = self.turn == 0 or len(prepared) > 1
        return ScalingOperands(
            rows[self.anchor.inputs[1]],
            self.allocation.vectors[self.anchor.name],
            block,
            block is not None and is_fresh,
        )

    def _interpolation(
        self, tile: Tile, rows: dict[str, Rows], loads: list[Command], window: InputWindow | None
    ) -> Iterator[Item]:
        node = self.anchor
        assert window is not None
        assert isinstance(node.operator, BilinearResize)
        command = Interpolate(
            self.index,
            node.name,
            window.rows,
            rows[node.name],
            node.operator,
            self.problem.sizes[node.inputs[0]],
            (window.down.first, window.across.first),
            (tile.y0, tile.x0),
            self.allocation.vectors.get(node.name),
        )
        yield self._finish(Item(loads, [command]), tile, rows)

    def _reduction(
        self, tile: Tile, rows: dict[str, Rows], loads: list[Command], window: InputWindow | None
    ) -> Iterator[Item]:
        node = self.anchor
        assert isinstance(node.operator, Statistics)
        total = rows[node.name] = Rows(self.allocation.outputs[node.name], 0, 1, 1)
        tile_rows = rows[node.inputs[0]]
        command = Accumulate(
            self.index, node.name, tile_rows, total, node.operator, first=tile.is_first
        )
        yield self._finish(Item(loads, [command]), tile, rows)

    def _no_anchor(
        self, tile: Tile, rows: dict[str, Rows], loads: list[Command], window: InputWindow | None
    ) -> Iterator[Item]:
        """A group of operators that all work on the tile alone."""
        yield self._finish(Item(loads), tile, rows)

    def _finish(self, item: Item, tile: Tile, rows: dict[str, Rows]) -> Item:
        """Append the elementwise operators of the group and the stores of a tile."""
        for node in self.elementwise:
            operands = tuple([rows[source] for source in node.inputs])
            constants = self.allocation.vectors.get(node.name)
            item.computes.append(
                Elementwise(
                    self.index, node.name, operands, rows[node.name], node.operator, constants
                )
            )
        for store in self.stores:
            if not store.at_the_end:
                row, column = tile.y0 * store.factor, tile.x0 * store.factor
            elif tile.is_last:
                row = column = 0
            else:
                continue
            item.stores.append(
                StoreRows(self.index, rows[store.source], store.tensor, row, column, store.remap)
            )
        return item


_ANCHORS: dict[
    Role,
    Callable[[_Emitter, Tile, dict[str, Rows], list[Command], InputWindow | None], Iterator[Item]],
] = {
    Role.ARRAY: _Emitter._convolution,
    Role.INTERPOLATION: _Emitter._interpolation,
    Role.REDUCTION: _Emitter._reduction,
}
"""What a tile's anchor becomes; the others work on the tile like those behind an anchor."""


@dataclass(frozen=True, slots=True)
class _StorePlan:
    """What a stored node's tiles are taken from, and where they go."""

    source: str
    tensor: DramTensor
    remap: PixelShuffle | NearestResize | None
    at_the_end: bool

    @property
    def factor(self) -> int:
        return 1 if self.remap is None else self.remap.factor


def _store_plan(problem: Problem, node: Node) -> _StorePlan:
    tensor = problem.tensors[node.name]
    operator = node.operator
    if is_remap(node):
        assert isinstance(operator, PixelShuffle | NearestResize)
        return _StorePlan(node.inputs[0], tensor, operator, at_the_end=False)
    return _StorePlan(node.name, tensor, None, is_reduction(node))


def _sized(slot: Block, size_bytes: int) -> Block:
    return Block(slot.name, slot.address, size_bytes)
