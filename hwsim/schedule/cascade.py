"""Groups executed depth-first, tile by tile, with the feature maps between them in SRAM.

A cascade is a run of groups, its stages. It is walked like a single group, strip by strip of the
last grids and step by step down a strip; each step gives every stage the few rows that the stages
behind it need next. A row stays in SRAM until the last stage that reads it has done so, and is
computed once in a strip: nothing is computed again from one step to the next. Between strips it
is: a stage computes as many columns beyond the strip as the kernels behind it reach.

docs/scheduling.md derives what is computed here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hwsim.schedule.groups import Group, is_remap
from hwsim.schedule.roles import Role, role
from hwsim.schedule.storage import ceil_divide
from quant.graph import (
    Convolution,
    NearestResize,
    Node,
    PixelShuffle,
    ScaledConvolution,
    Size,
)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a stage reads beyond the pixels it computes: rows above and below, and columns."""

    above: int = 0
    below: int = 0
    left: int = 0
    right: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """A stage reads a tensor."""

    tensor: str
    stage: int
    reach: Reach


@dataclass(frozen=True, slots=True)
class Store:
    """A tensor goes to DRAM because something outside the cascade reads it.

    Attributes:
        stage: the one that makes it.
        tensor: its name.
        held: the tensor in SRAM whose rows are stored.
        remap: the remap they are stored through, if any.
    """

    stage: int
    tensor: str
    held: str
    remap: PixelShuffle | NearestResize | None


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """Groups that run together, and what flows between them.

    Attributes:
        groups: the stages, in graph order.
        readings: uses of tensors by stages that did not make them, by tensor.
        stores: what goes to DRAM.
        made: the stage that makes a tensor which is in SRAM, by name.
        shuffles: the remap that such a tensor is written through, by its name.
        sources: tensors read from DRAM, each once, in first-use order.
        unit: the smallest pixel grid of a stage; each grid is a whole multiple of it.
        ratios: how many times finer a stage's grid is than the unit grid.
        tensor_ratios: the same of tensors in SRAM.
        by_vector_unit: the tensors in SRAM that the vector unit makes.
    """

    groups: tuple[Group, ...]
    readings: Mapping[str, tuple[Reading, ...]]
    stores: tuple[Store, ...]
    made: Mapping[str, int]
    shuffles: Mapping[str, PixelShuffle]
    sources: tuple[str, ...]
    unit: Size
    ratios: tuple[int, ...]
    tensor_ratios: Mapping[str, int]
    by_vector_unit: frozenset[str]

    def factor(self, tensor: str) -> int:
        """How many times finer a tensor's grid is than that of the stage that makes it."""
        shuffle = self.shuffles.get(tensor)
        return 1 if shuffle is None else shuffle.factor


def can_be_stage(group: Group, sizes: Mapping[str, Size]) -> bool:
    """Whether a group can run beside others, row by row.

    Statistics see a map whole, and what reads them waits for that. A window that moves by more
    than a pixel, or leaves a frame out, would make grids that no whole number relates.
    """
    if group.pixels or any(role(node.operator) is Role.REDUCTION for node in group.nodes):
        return False
    operator = group.anchor.operator
    if not group.is_windowed:
        return True
    return (
        isinstance(operator, Convolution)
        and not isinstance(operator, ScaledConvolution)
        and operator.stride == (1, 1)
        and sizes[group.anchor.name] == sizes[group.anchor.inputs[0]]
    )


def form_cascade(
    groups: Sequence[Group],
    outside: Mapping[str, bool],
    sizes: Mapping[str, Size],
) -> Cascade | None:
    """Put neighbouring groups into a cascade, if they can be.

    Args:
        groups: neighbours in the order of execution, each of which `can_be_stage`.
        outside: whether something outside these groups reads a node, by name.
        sizes: heights and widths by node name.

    Returns:
        The cascade, or None where grids are no multiples of one another, or a remapped tensor
        would have to be in SRAM in two forms.
    """
    unit = min((group.grid for group in groups), key=lambda size: size.pixels)
    ratios = tuple(_ratio(group.grid, unit) for group in groups)
    made = {node.name: stage for stage, group in enumerate(groups) for node in group.nodes}
    readings: dict[str, tuple[Reading, ...]] = {}
    for stage, group in enumerate(groups):
        for name, reach in _operands(group):
            readings[name] = (*readings.get(name, ()), Reading(name, stage, reach))
    read = {name: made[name] for name in readings if name in made}
    shuffles = _shuffles(groups, read)
    if shuffles is None or 0 in ratios:
        return None
    sources = tuple(name for name in readings if name not in made)
    held = dict(_held(groups, shuffles))
    return Cascade(
        tuple(groups),
        readings,
        tuple(
            _store(stage, node, shuffles)
            for stage, group in enumerate(groups)
            for node in group.stored
            if outside[node.name]
        ),
        held,
        shuffles,
        sources,
        unit,
        ratios,
        {name: _ratio(sizes[name], unit) for name in (*sources, *held)},
        frozenset(held) - shuffles.keys() - _by_array(groups),
    )


def _by_array(groups: Sequence[Group]) -> set[str]:
    """The tensors that the array makes."""
    return {group.anchor.name for group in groups if group.convolution is not None}


def _held(
    groups: Sequence[Group], shuffles: Mapping[str, PixelShuffle]
) -> Iterator[tuple[str, int]]:
    """The tensors that stages put into SRAM: not what a remap is only stored through."""
    for stage, group in enumerate(groups):
        shuffled = {node.inputs[0] for node in group.nodes if node.name in shuffles}
        for node in group.nodes:
            if node.name in shuffles or not (is_remap(node) or node.name in shuffled):
                yield node.name, stage


def _store(stage: int, node: Node, shuffles: Mapping[str, PixelShuffle]) -> Store:
    operator = node.operator
    if node.name not in shuffles and isinstance(operator, PixelShuffle | NearestResize):
        return Store(stage, node.name, node.inputs[0], operator)
    return Store(stage, node.name, node.name, None)


def _ratio(size: Size, unit: Size) -> int:
    """How many times finer a grid is, 0 if no whole number of times."""
    ratio = size.height // unit.height
    return ratio if size == Size(ratio * unit.height, ratio * unit.width) else 0


def _operands(group: Group) -> Iterator[tuple[str, Reach]]:
    """What a stage reads of others, and how far around its own pixels."""
    if group.is_windowed:
        operator = group.anchor.operator
        assert isinstance(operator, Convolution)
        (rows, columns), padding = operator.window, operator.padding
        yield (
            group.anchor.inputs[0],
            Reach(padding.top, rows - 1 - padding.top, padding.left, columns - 1 - padding.left),
        )
    for name in group.streamed:
        yield name, Reach()


def _shuffles(groups: Sequence[Group], read: Mapping[str, int]) -> dict[str, PixelShuffle] | None:
    """Remaps through which tensors are written that stay in SRAM; None if they cannot be.

    The array writes its results where a pixel shuffle puts them. It writes them once, so nothing
    else may read what is shuffled.
    """
    shuffles: dict[str, PixelShuffle] = {}
    for name, stage in read.items():
        group = groups[stage]
        node = next(node for node in group.nodes if node.name == name)
        if not is_remap(node):
            continue
        source = group.anchor
        uses = [other for other in group.nodes if source.name in other.inputs]
        if (
            not isinstance(node.operator, PixelShuffle)
            or not isinstance(source.operator, Convolution)
            or node.inputs[0] != source.name
            or uses != [node]
            or source in group.stored
        ):
            return None
        shuffles[name] = node.operator
    return shuffles


@dataclass(frozen=True, slots=True)
class Walk:
    """How a cascade is cut: strips of the unit grid, and steps down a strip.

    Attributes:
        columns: unit columns of a strip.
        rows: unit rows of a step.
        ahead: whether stages that read what the vector unit made run a step behind it, so that
            the array need not wait for it.
    """

    columns: int
    rows: int
    ahead: bool = False


class Reaches:
    """How far ahead and aside of the strip each stage of a cascade works.

    Attributes:
        leads: rows of its own grid by which a stage is ahead of the last ones.
        left: columns of its own grid it computes beyond a strip.
        right: the same on the other side.
        tensor_leads: rows of its grid by which a tensor's newest row is ahead, by name.
        tensor_sides: columns of a tensor needed beyond a strip, left and right, by name.
    """

    def __init__(self, cascade: Cascade, rows: int, ahead: bool) -> None:
        stages = len(cascade.groups)
        self.leads, self.left, self.right = [0] * stages, [0] * stages, [0] * stages
        self.tensor_leads: dict[str, int] = {}
        self.tensor_sides: dict[str, tuple[int, int]] = {}
        # Who reads a tensor stands behind who makes it, so from the last stage to the first.
        for name, stage in reversed(list(cascade.made.items())):
            if name in cascade.readings:
                waits = ahead and name in cascade.by_vector_unit
                self._add_stage(cascade, stage, name, rows * cascade.ratios[stage] if waits else 0)
        for name in cascade.sources:
            self._add_tensor(cascade, name)

    def _add_tensor(self, cascade: Cascade, name: str) -> tuple[int, int, int]:
        lead = left = right = 0
        for use in cascade.readings[name]:
            stage, reach = use.stage, use.reach
            lead = max(lead, self.leads[stage] + reach.below)
            left = max(left, self.left[stage] + reach.left)
            right = max(right, self.right[stage] + reach.right)
        self.tensor_leads[name], self.tensor_sides[name] = lead, (left, right)
        return lead, left, right

    def _add_stage(self, cascade: Cascade, stage: int, name: str, slack: int) -> None:
        lead, left, right = self._add_tensor(cascade, name)
        factor = cascade.factor(name)
        self.leads[stage] = max(self.leads[stage], ceil_divide(lead, factor) + slack)
        self.left[stage] = max(self.left[stage], ceil_divide(left, factor))
        self.right[stage] = max(self.right[stage], ceil_divide(right, factor))
