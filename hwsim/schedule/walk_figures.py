"""What ways to walk through a cascade cost, as far as a choice among them asks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from operator import mul
from typing import NamedTuple

from accelerators import Accelerator
from hwsim.schedule.cascade import Cascade, Reaches, Walk
from hwsim.schedule.cascade_places import (
    Widths,
    constant_bytes,
    ring_rows,
    ring_widths,
    stage_widths,
    strip_widths,
    tensor_widths,
)
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.objective import Aim, Figures, Rank
from hwsim.schedule.storage import DramTensor, ceil_divide, pixel_bytes, round_up
from hwsim.schedule.tiling import significant
from hwsim.schedule.traffic import strip_bytes, transfer_cycles
from quant.graph import TensorType

MOST_RECOMPUTED = Fraction(1, 16)
"""Of a cascade's multiplications, what may be done again between strips. This project's choice:
at 45 nm a byte from DRAM takes the energy of some two hundred 8-bit multiply-accumulates, but
they also take the array's time."""


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


class Cut(NamedTuple):
    """A cascade cut into strips of one width: what does not depend on the rows of a step.

    Attributes:
        strips: how many.
        widths: of the strips that each stage computes.
        traffic_bytes: bytes moved over the DRAM bus.
        transfer_cycles: cycles that they occupy it.
        map_cycles: of these, cycles of feature maps.
        least: cycles of the array and of the vector unit, whatever the rows of a step.
    """

    strips: int
    widths: Sequence[Widths]
    traffic_bytes: int
    transfer_cycles: int
    map_cycles: int
    least: tuple[int, int]


class Steps(NamedTuple):
    """A cascade in steps of so many rows: what does not depend on the strips.

    Attributes:
        held: rows of each tensor that SRAM holds.
        heights: of the pieces that steps cut each stage's rows into, with how many have each.
    """

    held: Sequence[int]
    heights: Sequence[Sequence[tuple[int, int]]]


class WalkFigures:
    """What walks through a cascade cost; what they have in common is worked out once.

    Args:
        problem: the cascade.
        works: of its stages.
        aim: what is minimized.
    """

    def __init__(self, problem: CascadeProblem, works: Sequence[GroupWork], aim: Aim) -> None:
        cascade = problem.cascade
        self._problem, self._works, self._aim = problem, works, aim
        self._in_step = Reaches(cascade, 1, ahead=False)
        self._constant_bytes = constant_bytes(cascade, problem.accelerator.dram.burst_bytes)
        self._constant_cycles = transfer_cycles(problem.accelerator, self._constant_bytes)
        self._switches = _switches(problem)
        self._pixel_bytes = [
            pixel_bytes(kind.channels, kind.integer)
            for kind in map(problem.types.__getitem__, cascade.tensor_ratios)
        ]
        self._column_macs = [
            0 if group.convolution is None else group.convolution.macs_per_pixel * group.grid.height
            for group in cascade.groups
        ]
        macs = sum(
            each * group.grid.width
            for each, group in zip(self._column_macs, cascade.groups, strict=True)
        )
        self._steps: dict[tuple[int, bool], Steps] = {}
        self._most_macs = int(macs * (1 + MOST_RECOMPUTED))

    def cut(self, columns: int) -> Cut | None:
        """The cascade in strips of a width; None where too much is computed again."""
        cascade = self._problem.cascade
        widths = [
            stage_widths(cascade, self._in_step, stage, columns)
            for stage in range(len(cascade.groups))
        ]
        totals = [each.total for each in widths]
        if sum(map(mul, self._column_macs, totals)) > self._most_macs:
            return None
        array = vector = 0
        for work, group, total in zip(self._works, cascade.groups, totals, strict=True):
            on_array, on_vector_unit = work.least_cycles(group.grid.height * total)
            array += on_array
            vector += on_vector_unit
        accelerator = self._problem.accelerator
        maps = _map_bytes(self._problem, self._in_step, columns)
        traffic = self._constant_bytes + maps
        return Cut(
            ceil_divide(cascade.unit.width, columns),
            widths,
            traffic,
            transfer_cycles(accelerator, traffic),
            transfer_cycles(accelerator, maps),
            (array, vector),
        )

    def row_bytes(self, columns: int) -> list[int]:
        """SRAM that a row of each tensor takes, in strips of a width."""
        word_bytes = self._problem.accelerator.sram.word_bits // 8
        widths = ring_widths(self._problem.cascade, self._in_step, columns).values()
        return [round_up(row, word_bytes) for row in map(mul, widths, self._pixel_bytes)]

    def steps(self, rows: int, ahead: bool) -> Steps:
        """The cascade in steps of some rows, ahead or not as in `Walk`."""
        found = self._steps.get((rows, ahead))
        if found is not None:
            return found
        cascade = self._problem.cascade
        reaches = Reaches(cascade, rows, ahead) if ahead else self._in_step
        stages = zip(cascade.groups, cascade.ratios, reaches.leads, strict=True)
        found = self._steps[rows, ahead] = Steps(
            [count for _, count in ring_rows(cascade, reaches, rows)],
            [
                _heights(group.grid.height, rows * ratio, lead % (rows * ratio))
                for group, ratio, lead in stages
            ],
        )
        return found

    def least_rank(self, cut: Cut) -> Rank:
        """What no walk in such strips goes below."""
        cycles = significant(max(*cut.least, cut.transfer_cycles))
        return self._aim.rank(Figures(cut.traffic_bytes, cycles))

    def least_step_rank(self, cut: Cut, rows: int, ahead: bool) -> Rank:
        """What the walk in such strips and steps does not go below; quicker than `rank`."""
        cycles = significant(self._estimated_cycles(cut, rows, ahead, *cut.least))
        return self._aim.rank(Figures(cut.traffic_bytes, cycles))

    def rank(self, cut: Cut, rows: int, ahead: bool) -> Rank:
        """How good the walk in such strips and steps is."""
        steps = self.steps(rows, ahead)
        array = vector = 0
        for work, heights, widths in zip(self._works, steps.heights, cut.widths, strict=True):
            cycles_of_tile = work.cycles
            for height, times in heights:
                for width, count in widths.each:
                    on_array, on_vector_unit = cycles_of_tile(height * width)
                    array += times * count * on_array
                    vector += times * count * on_vector_unit
        picojoules = self._array_pj(cut, steps) if self._aim.counts_energy else 0.0
        cycles = significant(self._estimated_cycles(cut, rows, ahead, array, vector))
        return self._aim.rank(Figures(cut.traffic_bytes, cycles, picojoules))

    def _estimated_cycles(self, cut: Cut, rows: int, ahead: bool, array: int, vector: int) -> int:
        """Cycles of the cascade, for ranking: the busiest unit, and what one waits for another.

        In a step a stage waits for the one before it, so the array and the vector unit take turns
        unless stages behind the vector unit run a step later.

        Args:
            cut: its strips.
            rows: of a step.
            ahead: as in `Walk`.
            array: cycles that tiles hold the array.
            vector: cycles that they hold the vector unit.
        """
        accelerator = self._problem.accelerator
        steps = cut.strips * ceil_divide(self._problem.cascade.unit.height, rows)
        array += self._switches * steps * accelerator.array.mode_switch_cycles
        computing = max(array, vector) if ahead else array + vector
        # The first rows and constants come before, the last rows leave behind everything else.
        ends = self._constant_cycles + (vector + cut.map_cycles) // steps
        latencies = accelerator.dram.latency_cycles * cut.strips
        return max(computing, cut.transfer_cycles) + ends + latencies

    def _array_pj(self, cut: Cut, steps: Steps) -> float:
        """Energy of the cascade's multiplications and what they read, in picojoules."""
        return sum(
            times * count * self._aim.array_pj(of_tile)
            for work, heights, widths in zip(self._works, steps.heights, cut.widths, strict=True)
            for height, times in heights
            for width, count in widths.each
            if (of_tile := work.array(height * width, work.channels)) is not None
        )


def cascade_traffic_bytes(problem: CascadeProblem, walk: Walk) -> int:
    """Bytes a cascade moves over the DRAM bus under a walk; exact."""
    reaches = Reaches(problem.cascade, walk.rows, walk.ahead)
    constants = constant_bytes(problem.cascade, problem.accelerator.dram.burst_bytes)
    return constants + _map_bytes(problem, reaches, walk.columns)


def _map_bytes(problem: CascadeProblem, reaches: Reaches, columns: int) -> int:
    """Bytes of feature maps that move over the DRAM bus with strips of so many unit columns."""
    cascade, tensors = problem.cascade, problem.tensors
    burst = problem.accelerator.dram.burst_bytes
    moved = [
        (tensors[name], tensor_widths(cascade, reaches, name, columns)) for name in cascade.sources
    ]
    for store in cascade.stores:
        tensor, width = tensors[store.tensor], cascade.unit.width
        moved.append((tensor, strip_widths(width, columns, tensor.size.width // width)))
    return sum(
        tensor.size.height * count * strip_bytes(tensor, width, burst)
        for tensor, widths in moved
        for width, count in widths.each
    )


def _switches(problem: CascadeProblem) -> int:
    """How often the array changes its widths in a step, from each stage to the next and back."""
    widths = [
        (group.convolution.weight_type.bits, problem.types[group.anchor.inputs[0]].integer.bits)
        for group in problem.cascade.groups
        if group.convolution is not None
    ]
    return sum(one != other for one, other in pairwise([*widths, *widths[:1]]))


@lru_cache(maxsize=4096)  # stages of many cascades are cut alike
def _heights(height: int, rows: int, phase: int) -> tuple[tuple[int, int], ...]:
    """Heights of the pieces that steps cut a stage's rows into, with how often each occurs.

    Args:
        height: of the stage's grid.
        rows: of a step, on that grid.
        phase: rows of the first step that is not a whole one.
    """
    first = min(phase, height)
    whole, rest = divmod(height - first, rows)
    pieces = Counter({rows: whole}) + Counter({first: 1}) + Counter({rest: 1})
    return tuple((piece, count) for piece, count in pieces.items() if piece)
