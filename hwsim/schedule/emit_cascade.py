"""Commands of a cascade: walk strips and steps, at each step every stage a few rows further."""

from collections.abc import Iterator, Mapping, Sequence
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
        for number, strip in enumerate(strips(self.cascade.unit, self.walk.columns)):
            if number:
                yield Item()
            yield from self._strip(number, strip)

    def _strip(self, number: int, strip: Columns) -> Iterator[Item]:
        cascade, reaches, rows = self.cascade, self.reaches, self.walk.rows
        held = {
            name: tensor_columns(cascade, reaches, name, strip) for name in cascade.tensor_ratios
        }
        own = [
            stage_columns(cascade, reaches, stage, strip) for stage in range(len(cascade.groups))
        ]
        first = -max(
            chain(
                (ceil_divide(lead, rows * ratio) for lead, ratio in zip(
                    reaches.leads, cascade.ratios, strict=True)),
                (
                    ceil_divide(reaches.tensor_leads[name], rows * cascade.tensor_ratios[name])
                    for name in cascade.sources
                ),
            )
        )
        for step in range(first, ceil_divide(cascade.unit.height, rows)):
            yield self._item(number, strip, step, held, own)

    def _item(
        self, number: int, strip: Columns, step: int, held: dict[str, Columns], own: list[Columns]
    ) -> Item:
        cascade, item = self.cascade, Item()
        for name in cascade.sources:
            y0, y1 = self._span(step, cascade.tensor_ratios[name], self.reaches.tensor_leads[name])
            if y0 < y1:
                use = cascade.readings[name][0]
                rows = self._rows(name, number, y0, y1, held[name], held)
                item.loads.append(
                    LoadRows(
                        self.first_group + use.stage,
                        self.tensors[name],
                        y0,
                        held[name].start,
                        rows,
                    )
                )
        for stage, columns in enumerate(own):
            y0, y1 = self._span(step, cascade.ratios[stage], self.reaches.leads[stage])
            if y0 < y1:
                if stage in self.waiting:
                    item.loads += self._constant_loads(stage)
                    self.waiting.remove(stage)
                self._compute(item, stage, number, y0, y1, columns, held)
                self._store(item, stage, number, y0, y1, strip, held)
        return item

    def _span(self, step: int, ratio: int, lead: int) -> tuple[int, int]:
        """Rows of a grid that a step adds."""
        rows, height = self.walk.rows * ratio, self.cascade.unit.height * ratio
        start = step * rows + lead
        return min(max(start, 0), height), min(max(start + rows, 0), height)

    def _rows(
        self,
        name: str,
        number: int,
        y0: int,
        y1: int,
        columns: Columns,
        held: dict[str, Columns],
    ) -> Rows:
        """Where rows of a tensor lie in SRAM; running rows count through all strips."""
        first = number * self.sizes[name].height + y0
        offset = columns.start - held[name].start
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

    def _compute(
        self,
        item: Item,
        stage: int,
        number: int,
        y0: int,
        y1: int,
        columns: Columns,
        held: dict[str, Columns],
    ) -> None:
        group = self.cascade.groups[stage]
        for node in group.nodes:
            if self.settings[stage] is not None and node is group.anchor:
                item.computes.append(self._convolve(stage, number, y0, y1, columns, held))
            elif not is_remap(node):
                operands = tuple(
                    [self._rows(name, number, y0, y1, columns, held) for name in node.inputs]
                )
                item.computes.append(
                    Elementwise(
                        self.first_group + stage,
                        node.name,
                        operands,
                        self._rows(node.name, number, y0, y1, columns, held),
                        node.operator,
                        self.allocation.vectors.get(node.name),
                    )
                )

    def _convolve(
        self,
        stage: int,
        number: int,
        y0: int,
        y1: int,
        columns: Columns,
        held: dict[str, Columns],
    ) -> Convolve:
        node: Node = self.cascade.groups[stage].anchor
        source = node.inputs[0]
        down, across = input_axes(node.operator, self.sizes[source])
        rows, window = down.span(y0, y1), across.span(columns.start, columns.stop)
        name = self.shuffled.get(node.name, node.name)
        shuffle, factor = self.cascade.shuffles.get(name), self.cascade.factor(name)
        settings = self.settings[stage]
        weights, parameters = self.allocation.weights[stage], self.allocation.parameters[stage]
        assert settings is not None
        assert weights is not None
        assert parameters is not None
        wide = Columns(columns.start * factor, columns.stop * factor)
        return Convolve(
            self.first_group + stage,
            node.name,
            self._rows(
                source, number, rows.first, rows.last, Columns(window.first, window.last), held
            ),
            self._rows(name, number, y0 * factor, y1 * factor, wide, held),
            weights,
            parameters,
            y0,
            columns.start,
            0,
            settings.out_channels,
            Padding(rows.before, rows.behind, window.before, window.behind),
            settings,
            remap=shuffle,
        )

    def _store(
        self,
        item: Item,
        stage: int,
        number: int,
        y0: int,
        y1: int,
        strip: Columns,
        held: dict[str, Columns],
    ) -> None:
        """Take a strip's own share of what is stored to DRAM, without what it shares with others."""
        for store in self.cascade.stores:
            if store.stage != stage:
                continue
            finer, ratio = self.cascade.factor(store.held), self.cascade.tensor_ratios[store.held]
            share = Columns(strip.start * ratio, strip.stop * ratio)
            rows = self._rows(store.held, number, y0 * finer, y1 * finer, share, held)
            factor = 1 if store.remap is None else store.remap.factor
            item.stores.append(
                StoreRows(
                    self.first_group + stage,
                    rows,
                    self.tensors[store.tensor],
                    y0 * finer * factor,
                    share.start * factor,
                    store.remap,
                )
            )
