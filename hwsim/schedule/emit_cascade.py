"""Commands of a cascade: walk strips and steps, at each step every stage a few rows further."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from hwsim.schedule.cascade import Cascade, Reaches, Walk
from hwsim.schedule.cascade_places import (
    CascadeAllocation,
    Columns,
    stage_columns,
    strips,
    tensor_columns,
)
from hwsim.schedule.commands import (
    Command,
    ConvolutionSettings,
    Convolve,
    Elementwise,
    LoadConstants,
    LoadRows,
    StoreRows,
)
from hwsim.schedule.emit import Item
from hwsim.schedule.groups import is_remap
from hwsim.schedule.layout import GroupConstants
from hwsim.schedule.storage import DramTensor, Rows, ceil_divide
from hwsim.schedule.windows import input_axes
from quant.graph import Node, Padding, Size


def emit_cascade(
    first_group: int,
    cascade: Cascade,
    walk: Walk,
    allocation: CascadeAllocation,
    constants: Sequence[GroupConstants],
    tensors: Mapping[str, DramTensor],
    sizes: Mapping[str, Size],
) -> Iterator[Command]:
    """The commands of a cascade whose first stage is group ``first_group`` of its program.

    Each step's loads are issued before the step ahead of it computes, but for the first of a
    strip: the rings have no room for rows of two strips.
    """
    emitter = _Emitter(first_group, cascade, walk, allocation, constants, tensors, sizes)
    for ahead, item in pairwise(chain((Item(),), emitter.items(), (Item(),))):
        yield from item.loads
        yield from ahead.computes
        yield from ahead.stores


@dataclass(frozen=True, slots=True)
class _Strip:
    """A strip of the unit grid.

    Attributes:
        number: counted from 0.
        columns: of the unit grid.
        held: the columns that SRAM holds of each tensor.
    """

    number: int
    columns: Columns
    held: Mapping[str, Columns]


@dataclass(frozen=True, slots=True)
class _Tile:
    """What a stage computes in a step: rows y0 to y1, ``y1`` excluded, of some columns."""

    strip: _Strip
    stage: int
    y0: int
    y1: int
    columns: Columns


class _Emitter:
    """Builds the items of a cascade in execution order."""

    def __init__(
        self,
        first_group: int,
        cascade: Cascade,
        walk: Walk,
        allocation: CascadeAllocation,
        constants: Sequence[GroupConstants],
        tensors: Mapping[str, DramTensor],
        sizes: Mapping[str, Size],
    ) -> None:
        self.first_group = first_group
        self.cascade = cascade
        self.walk = walk
        self.reaches = Reaches(cascade, walk.rows, walk.ahead)
        self.allocation = allocation
        self.constants = constants
        self.tensors = tensors
        self.sizes = sizes
        self.settings = [
            None if group.convolution is None else ConvolutionSettings.of(group.convolution)
            for group in cascade.groups
        ]
        # A tensor that is written through a shuffle, by the node that writes it.
        self.shuffled = {
            node.inputs[0]: node.name
            for group in cascade.groups
            for node in group.nodes
            if node.name in cascade.shuffles
        }
        self.waiting = set(range(len(cascade.groups)))  # stages whose constants are to be loaded

    def items(self) -> Iterator[Item]:
        """The items of all steps, and an empty one between two strips."""
        cascade, reaches = self.cascade, self.reaches
        for number, columns in enumerate(strips(cascade.unit, self.walk.columns)):
            if number:
                yield Item()
            names = cascade.tensor_ratios
            held = {name: tensor_columns(cascade, reaches, name, columns) for name in names}
            strip = _Strip(number, columns, held)
            own = [
                stage_columns(cascade, reaches, stage, columns)
                for stage in range(len(cascade.groups))
            ]
            for step in self._steps():
                yield self._item(strip, step, own)

    def _steps(self) -> range:
        """Steps of a strip; those before 0 are of stages and sources that are ahead."""
        cascade, reaches, rows = self.cascade, self.reaches, self.walk.rows
        ahead = [
            *zip(reaches.leads, cascade.ratios, strict=True),
            *(
                (reaches.tensor_leads[name], cascade.tensor_ratios[name])
                for name in cascade.sources
            ),
        ]
        first = max(ceil_divide(lead, rows * ratio) for lead, ratio in ahead)
        return range(-first, ceil_divide(cascade.unit.height, rows))

    def _item(self, strip: _Strip, step: int, own: Sequence[Columns]) -> Item:
        cascade, item = self.cascade, Item()
        for name in cascade.sources:
            lead = self.reaches.tensor_leads[name]
            y0, y1 = self._span(step, cascade.tensor_ratios[name], lead)
            if y0 < y1:
                group = self.first_group + cascade.readings[name][0].stage
                columns = strip.held[name]
                rows = self._rows(strip, name, y0, y1, columns)
                item.loads.append(LoadRows(group, self.tensors[name], y0, columns.start, rows))
        for stage, columns in enumerate(own):
            y0, y1 = self._span(step, cascade.ratios[stage], self.reaches.leads[stage])
            if y0 < y1:
                if stage in self.waiting:
                    item.loads += self._constant_loads(stage)
                    self.waiting.remove(stage)
                tile = _Tile(strip, stage, y0, y1, columns)
                item.computes += self._computes(tile)
                item.stores += self._stores(tile)
        return item

    def _span(self, step: int, ratio: int, lead: int) -> tuple[int, int]:
        """Rows of a grid that a step adds."""
        rows, height = self.walk.rows * ratio, self.cascade.unit.height * ratio
        start = step * rows + lead
        return min(max(start, 0), height), min(max(start + rows, 0), height)

    def _rows(self, strip: _Strip, name: str, y0: int, y1: int, columns: Columns) -> Rows:
        """Where rows of a tensor lie in SRAM; running rows count through all strips."""
        first = strip.number * self.sizes[name].height + y0
        offset = columns.start - strip.held[name].start
        return Rows(self.allocation.rings[name], first, y1 - y0, columns.width, offset)

    def _constant_loads(self, stage: int) -> Iterator[Command]:
        group, allocation = self.first_group + stage, self.allocation
        constants = self.constants[stage]
        weights, parameters = allocation.weights[stage], allocation.parameters[stage]
        if weights is not None and parameters is not None:
            (block,) = constants.weights
            yield LoadConstants(group, block.address, weights)
            yield LoadConstants(group, block.parameter_address, parameters)
        for name, place in constants.vectors.items():
            yield LoadConstants(group, place.address, allocation.vectors[name])

    def _computes(self, tile: _Tile) -> Iterator[Command]:
        group, settings = self.cascade.groups[tile.stage], self.settings[tile.stage]
        for node in group.nodes:
            if settings is not None and node is group.anchor:
                yield self._convolve(tile, node, settings)
            elif not is_remap(node):
                yield Elementwise(
                    self.first_group + tile.stage,
                    node.name,
                    tuple([self._of_tile(tile, name) for name in node.inputs]),
                    self._of_tile(tile, node.name),
                    node.operator,
                    self.allocation.vectors.get(node.name),
                )

    def _of_tile(self, tile: _Tile, name: str) -> Rows:
        """The rows and columns of a tile, of a tensor on its grid."""
        return self._rows(tile.strip, name, tile.y0, tile.y1, tile.columns)

    def _convolve(self, tile: _Tile, node: Node, settings: ConvolutionSettings) -> Convolve:
        source = node.inputs[0]
        down, across = input_axes(node.operator, self.sizes[source])
        rows = down.span(tile.y0, tile.y1)
        window = across.span(tile.columns.start, tile.columns.stop)
        seen = Columns(window.first, window.last)
        name = self.shuffled.get(node.name, node.name)
        factor = self.cascade.factor(name)
        made = Columns(tile.columns.start * factor, tile.columns.stop * factor)
        weights = self.allocation.weights[tile.stage]
        parameters = self.allocation.parameters[tile.stage]
        assert weights is not None
        assert parameters is not None
        return Convolve(
            self.first_group + tile.stage,
            node.name,
            self._rows(tile.strip, source, rows.first, rows.last, seen),
            self._rows(tile.strip, name, tile.y0 * factor, tile.y1 * factor, made),
            weights,
            parameters,
            tile.y0,
            tile.columns.start,
            0,
            settings.out_channels,
            Padding(rows.before, rows.behind, window.before, window.behind),
            settings,
            remap=self.cascade.shuffles.get(name),
        )

    def _stores(self, tile: _Tile) -> Iterator[Command]:
        """Take a strip's own share of what is stored to DRAM, without what others have too."""
        for store in self.cascade.stores:
            if store.stage != tile.stage:
                continue
            finer, ratio = self.cascade.factor(store.held), self.cascade.tensor_ratios[store.held]
            strip = tile.strip
            share = Columns(strip.columns.start * ratio, strip.columns.stop * ratio)
            factor = 1 if store.remap is None else store.remap.factor
            yield StoreRows(
                self.first_group + tile.stage,
                self._rows(strip, store.held, tile.y0 * finer, tile.y1 * finer, share),
                self.tensors[store.tensor],
                tile.y0 * finer * factor,
                share.start * factor,
                store.remap,
            )
