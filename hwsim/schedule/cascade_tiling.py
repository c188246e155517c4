"""The choice of how a cascade is cut: strips, rows of a step."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from accelerators import Accelerator
from hwsim.schedule.cascade import Cascade, Reaches, Walk
from hwsim.schedule.cascade_places import (
    Columns,
    constant_bytes,
    ring_rows,
    ring_widths,
    stage_columns,
    strips,
    tensor_columns,
)
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.objective import Aim, Figures, Rank
from hwsim.schedule.storage import DramTensor, ceil_divide, pixel_bytes, round_up
from hwsim.schedule.tiling import Choice, significant
from hwsim.schedule.traffic import strip_bytes, transfer_cycles
from quant.graph import TensorType

MOST_RECOMPUTED = Fraction(1, 16)
"""Of a cascade's multiplications, what may be done again between strips. This project's choice:
at 45 nm a byte from DRAM takes the energy of some two hundred 8-bit multiply-accumulates, but
they also take the array's time."""

MOST_STRIPS = 32
"""Strips that are tried at most; narrower ones would recompute more than `MOST_RECOMPUTED`."""


@dataclass(frozen=True, slots=True)
class CascadeProblem:
    """A cascade and all that a walk through it depends on.

    Attributes:
        cascade: the stages.
        types: tensor types by node name.
        tensors: the tensors that visit DRAM.
        accelerator: the machine.
    """

    cascade: Cascade
    types: Mapping[str, TensorType]
    tensors: Mapping[str, DramTensor]
    accelerator: Accelerator


@dataclass(frozen=True, slots=True)
class _Cut:
    """A cascade cut into strips of one width: what does not depend on the rows of a step.

    Attributes:
        strips: of the unit grid.
        widths: the most columns that are held of each tensor.
        stage_widths: columns that each stage computes, with how many strips have them.
        traffic_bytes: bytes moved over the DRAM bus.
        least_cycles: of the array, whatever the rows of a step.
    """

    strips: Sequence[Columns]
    widths: Mapping[str, int]
    stage_widths: Sequence[Counter[int]]
    traffic_bytes: int
    least_cycles: int


def choose_walk(problem: CascadeProblem, aim: Aim) -> Choice[Walk] | None:
    """The best walk that fits SRAM; None if none does."""
    cascade, accelerator = problem.cascade, problem.accelerator
    available = accelerator.sram.size_kib * 1024
    available -= constant_bytes(cascade, accelerator.sram.word_bits // 8)
    if available <= 0:
        return None
    best: tuple[tuple[Rank, int], Choice[Walk]] | None = None
    works = [GroupWork(group, problem.types, accelerator) for group in cascade.groups]
    reaches = {
        (rows, ahead): Reaches(cascade, rows, ahead)
        for rows in _row_choices(cascade.unit.height)
        for ahead in (False, True)
    }
    for columns in _column_choices(cascade.unit.width):
        cut = _cut(problem, works, next(iter(reaches.values())), columns)
        if cut is None:
            break
        bound = aim.rank(Figures(cut.traffic_bytes, significant(cut.least_cycles)))
        if best is not None and bound > best[1].rank:
            continue
        for (rows, ahead), reach in reaches.items():
            walk = Walk(columns, rows, ahead)
            size_bytes = _ring_bytes(problem, reach, walk, cut)
            if size_bytes > available:
                continue
            cycles = significant(_estimated_cycles(problem, works, reach, walk, cut))
            picojoules = (
                _array_pj(problem, works, reach, walk, cut, aim) if aim.counts_energy else 0.0
            )
            rank = aim.rank(Figures(cut.traffic_bytes, cycles, picojoules))
            if best is None or (rank, size_bytes) < best[0]:
                best = (rank, size_bytes), Choice(walk, rank)
    return None if best is None else best[1]


def cascade_traffic_bytes(problem: CascadeProblem, walk: Walk) -> int:
    """Bytes a cascade moves over the DRAM bus under a walk; exact."""
    reaches = Reaches(problem.cascade, walk.rows, walk.ahead)
    return _traffic_bytes(problem, reaches, strips(problem.cascade.unit, walk.columns))


def _row_choices(height: int) -> list[int]:
    """Powers of two up to 16 and below the height; more rows take memory and save little."""
    return [rows for rows in (1, 2, 4, 8, 16) if rows < height] or [height]


def _column_choices(width: int) -> list[int]:
    """Widths of 1, 2, 3 … equal strips, the widest first."""
    counts = range(1, min(MOST_STRIPS, width) + 1)
    return list(dict.fromkeys(ceil_divide(width, count) for count in counts))


def _cut(
    problem: CascadeProblem, works: Sequence[GroupWork], reaches: Reaches, columns: int
) -> _Cut | None:
    """A cascade in strips; None where too much is computed again."""
    cascade = problem.cascade
    cut = strips(cascade.unit, columns)
    stage_widths = [
        Counter(stage_columns(cascade, reaches, stage, strip).width for strip in cut)
        for stage in range(len(cascade.groups))
    ]
    done = necessary = least_cycles = 0
    for group, work, widths in zip(cascade.groups, works, stage_widths, strict=True):
        if group.convolution is not None:
            macs = group.convolution.macs_per_pixel * group.grid.height
            columns = sum(width * count for width, count in widths.items())
            done += macs * columns
            least_cycles += work.array_cycles(group.grid.height * columns, work.channels)
            necessary += macs * group.grid.width
    if done > necessary * (1 + MOST_RECOMPUTED):
        return None
    traffic = _traffic_bytes(problem, reaches, cut)
    held = ring_widths(cascade, reaches, cut)
    return _Cut(cut, held, stage_widths, traffic, least_cycles)


def _traffic_bytes(problem: CascadeProblem, reaches: Reaches, cut: Sequence[Columns]) -> int:
    cascade, tensors = problem.cascade, problem.tensors
    burst = problem.accelerator.dram.burst_bytes
    total = constant_bytes(cascade, burst)
    for name in cascade.sources:
        tensor = tensors[name]
        total += tensor.size.height * sum(
            strip_bytes(tensor, tensor_columns(cascade, reaches, name, strip).width, burst)
            for strip in cut
        )
    for store in cascade.stores:
        tensor = tensors[store.tensor]
        ratio = tensor.size.width // cascade.unit.width
        total += tensor.size.height * sum(
            strip_bytes(tensor, strip.width * ratio, burst) for strip in cut
        )
    return total


def _ring_bytes(problem: CascadeProblem, reaches: Reaches, walk: Walk, cut: _Cut) -> int:
    """SRAM that rings take, each row on a word."""
    word_bytes = problem.accelerator.sram.word_bits // 8
    total = 0
    for name, rows in ring_rows(problem.cascade, reaches, walk.rows):
        kind = problem.types[name]
        row_bytes = cut.widths[name] * pixel_bytes(kind.channels, kind.integer)
        total += rows * round_up(row_bytes, word_bytes)
    return total


def _estimated_cycles(
    problem: CascadeProblem, works: Sequence[GroupWork], reaches: Reaches, walk: Walk, cut: _Cut
) -> int:
    """Cycles of a cascade, for ranking: the busiest unit, and what one waits for another.

    In a step a stage waits for the one before it, so the array and the vector unit take turns
    unless stages behind the vector unit run a step later.
    """
    accelerator = problem.accelerator
    array = vector = 0
    for stage, pixels, count in _tiles(problem.cascade, reaches, walk, cut):
        array += count * works[stage].array_cycles(pixels, works[stage].channels)
        vector += count * works[stage].vector_cycles(pixels)
    steps = len(cut.strips) * ceil_divide(problem.cascade.unit.height, walk.rows)
    array += _switches(problem) * steps * accelerator.array.mode_switch_cycles
    transfer = transfer_cycles(accelerator, cut.traffic_bytes)
    computing = max(array, vector) if walk.ahead else array + vector
    # The first rows and constants come before, the last rows leave behind everything else.
    constants = constant_bytes(problem.cascade, accelerator.dram.burst_bytes)
    maps = transfer_cycles(accelerator, cut.traffic_bytes - constants)
    ends = transfer_cycles(accelerator, constants) + (vector + maps) // steps
    return max(computing, transfer) + ends + accelerator.dram.latency_cycles * len(cut.strips)


def _switches(problem: CascadeProblem) -> int:
    """How often the array changes its widths in a step, from each stage to the next and back."""
    widths = [
        (group.convolution.weight_type.bits, problem.types[group.anchor.inputs[0]].integer.bits)
        for group in problem.cascade.groups
        if group.convolution is not None
    ]
    return sum(one != other for one, other in pairwise([*widths, *widths[:1]]))


def _array_pj(
    problem: CascadeProblem,
    works: Sequence[GroupWork],
    reaches: Reaches,
    walk: Walk,
    cut: _Cut,
    aim: Aim,
) -> float:
    """Energy of a cascade's multiplications and what they read, in picojoules."""
    return sum(
        count * aim.array_pj(work)
        for stage, pixels, count in _tiles(problem.cascade, reaches, walk, cut)
        if (work := works[stage].array(pixels, works[stage].channels)) is not None
    )


def _tiles(
    cascade: Cascade, reaches: Reaches, walk: Walk, cut: _Cut
) -> Iterator[tuple[int, int, int]]:
    """Every size of tile of every stage: the stage, its pixels, and how many tiles have it."""
    for stage, group in enumerate(cascade.groups):
        rows = walk.rows * cascade.ratios[stage]
        for height, times in _heights(group.grid.height, rows, reaches.leads[stage]).items():
            for width, count in cut.stage_widths[stage].items():
                yield stage, height * width, times * count


def _heights(height: int, rows: int, lead: int) -> Counter[int]:
    """Heights of the pieces that steps cut a stage's rows into, with how often each occurs."""
    first = min(lead % rows, height)
    whole, rest = divmod(height - first, rows)
    pieces = Counter({rows: whole}) + Counter({first: 1}) + Counter({rest: 1})
    return Counter({piece: count for piece, count in pieces.items() if piece})
