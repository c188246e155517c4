"""Where a cascade's rows and constants lie in SRAM, and how much of it they take."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from accelerators import Accelerator
from hwsim.schedule.allocation import Arena
from hwsim.schedule.cascade import Cascade, Reaches
from hwsim.schedule.layout import block_bytes, parameter_bytes, vector_bytes, weight_bytes
from hwsim.schedule.storage import Block, LineBuffer
from hwsim.schedule.vector_constants import constants_bytes
from quant.graph import Size, TensorType


class Columns(NamedTuple):
    """Columns of a pixel grid, ``stop`` excluded."""

    start: int
    stop: int

    @property
    def width(self) -> int:
        """How many there are."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True, eq=False)
class CascadeAllocation:
    """A cascade's buffers in SRAM.

    Attributes:
        rings: rows of every tensor that is there, by name.
        weights: of each stage, None where it has none; all of them stay.
        parameters: as ``weights``.
        vectors: constants of operators of the vector unit, by node name.
        size_bytes: SRAM used.
    """

    rings: Mapping[str, LineBuffer]
    weights: tuple[Block | None, ...]
    parameters: tuple[Block | None, ...]
    vectors: Mapping[str, Block]
    size_bytes: int


def strips(unit: Size, columns: int) -> list[Columns]:
    """The strips that the unit grid is cut into."""
    return _strips(unit.width, columns)


def _strips(width: int, columns: int) -> list[Columns]:
    return [Columns(start, min(start + columns, width)) for start in range(0, width, columns)]


def _widened(strip: Columns, ratio: int, left: int, right: int, unit_width: int) -> Columns:
    """A strip on a finer grid and the columns beside it, as far as they exist."""
    return Columns(
        max(0, strip.start * ratio - left), min(unit_width * ratio, strip.stop * ratio + right)
    )


def stage_columns(cascade: Cascade, reaches: Reaches, stage: int, strip: Columns) -> Columns:
    """Columns of its own grid that a stage computes for a strip."""
    left, right = reaches.left[stage], reaches.right[stage]
    return _widened(strip, cascade.ratios[stage], left, right, cascade.unit.width)


def tensor_columns(cascade: Cascade, reaches: Reaches, name: str, strip: Columns) -> Columns:
    """Columns of a tensor that lie in SRAM for a strip: made there, or loaded for it."""
    if name in cascade.made:
        start, stop = stage_columns(cascade, reaches, cascade.made[name], strip)
        factor = cascade.factor(name)
        return Columns(start * factor, stop * factor)
    left, right = reaches.tensor_sides[name]
    return _widened(strip, cascade.tensor_ratios[name], left, right, cascade.unit.width)


def ring_rows(cascade: Cascade, reaches: Reaches, rows: int) -> Iterator[tuple[str, int]]:
    """Rows of each tensor that SRAM holds, for steps of so many rows of the unit grid.

    They reach from the oldest that a stage still reads in a step to the newest. A source has the
    next step's besides, which arrive meanwhile; what is stored has those of two steps, so that
    one leaves while the next is computed.
    """
    leaving = {store.held for store in cascade.stores}
    for name, ratio in cascade.tensor_ratios.items():
        step = rows * ratio
        if name in cascade.made:
            lead = reaches.leads[cascade.made[name]] * cascade.factor(name)
            oldest = lead
        else:
            lead = reaches.tensor_leads[name] + step
            oldest = reaches.tensor_leads[name]
        for use in cascade.readings.get(name, ()):
            oldest = min(oldest, reaches.leads[use.stage] - use.reach.above)
        count = step + lead - oldest
        if name in leaving:
            count = max(count, 2 * step)
        yield name, min(count, cascade.unit.height * ratio)


class Widths(NamedTuple):
    """How wide strips are.

    Attributes:
        each: widths that occur, the first strip's first, with how many strips have them.
        total: of all strips together.
        most: of the widest strip.
    """

    each: tuple[tuple[int, int], ...]
    total: int
    most: int


@lru_cache(maxsize=1 << 14)  # stages of many cascades reach equally far
def strip_widths(
    unit_width: int, columns: int, ratio: int, left: int = 0, right: int = 0
) -> Widths:
    """How wide strips are on a grid finer than the unit grid, with columns beside them.

    Args:
        unit_width: of the unit grid.
        columns: of the unit grid, that a strip has.
        ratio: how many times finer the grid is.
        left: columns of that grid on the left of a strip, as far as there are so many.
        right: the same on the right.
    """
    each = Counter(
        _widened(strip, ratio, left, right, unit_width).width
        for strip in _strips(unit_width, columns)
    )
    return Widths(tuple(each.items()), sum(each.elements()), max(each))


def stage_widths(cascade: Cascade, reaches: Reaches, stage: int, columns: int) -> Widths:
    """Columns of its own grid that a stage computes for strips of so many unit columns."""
    left, right = reaches.left[stage], reaches.right[stage]
    return strip_widths(cascade.unit.width, columns, cascade.ratios[stage], left, right)


def tensor_widths(cascade: Cascade, reaches: Reaches, name: str, columns: int) -> Widths:
    """The same of a tensor in SRAM; of one that a stage makes, columns of that stage's grid."""
    if name in cascade.made:
        return stage_widths(cascade, reaches, cascade.made[name], columns)
    left, right = reaches.tensor_sides[name]
    return strip_widths(cascade.unit.width, columns, cascade.tensor_ratios[name], left, right)


def ring_widths(cascade: Cascade, reaches: Reaches, columns: int) -> dict[str, int]:
    """The most columns of each tensor that SRAM holds for any strip of so many unit columns."""
    return {
        name: tensor_widths(cascade, reaches, name, columns).most * cascade.factor(name)
        for name in cascade.tensor_ratios
    }


def allocate_cascade(
    cascade: Cascade,
    ring_sizes: Mapping[str, tuple[int, int]],
    types: Mapping[str, TensorType],
    accelerator: Accelerator,
) -> CascadeAllocation:
    """Lay a cascade's buffers out in SRAM, without asking whether they fit.

    Args:
        cascade: the stages.
        ring_sizes: rows and columns that are held of each tensor, by name.
        types: tensor types by node name.
        accelerator: the machine.
    """
    arena = Arena(accelerator.sram.word_bits // 8)
    weights: list[Block | None] = []
    parameters: list[Block | None] = []
    for stage, group in enumerate(cascade.groups):
        convolution = group.convolution
        if convolution is None:
            weights.append(None)
            parameters.append(None)
            continue
        channels = convolution.out_channels
        weights.append(arena.block(f"weights {stage}", weight_bytes(convolution, channels)))
        parameters.append(
            arena.block(f"parameters {stage}", parameter_bytes(convolution, channels))
        )
    vectors = {
        node.name: arena.block(f"{node.name} (constants)", size_bytes)
        for group in cascade.groups
        for node in group.nodes
        if (size_bytes := constants_bytes(node.operator, node.output))
    }
    rings = {
        name: arena.rows(name, types[name], columns, rows)
        for name, (rows, columns) in ring_sizes.items()
    }
    return CascadeAllocation(rings, tuple(weights), tuple(parameters), vectors, arena.used_bytes)


def constant_bytes(cascade: Cascade, granule: int) -> int:
    """Bytes of all constants of a cascade, each rounded up to a word or burst."""
    weights = sum(
        block_bytes(convolution, convolution.out_channels, granule)
        for group in cascade.groups
        if (convolution := group.convolution) is not None
    )
    return weights + sum(vector_bytes(group, granule) for group in cascade.groups)
