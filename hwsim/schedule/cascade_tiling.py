"""The choice of how a cascade is cut: strips, rows of a step."""

from collections.abc import Sequence
from itertools import product
from operator import mul

from hwsim.schedule.cascade import Walk
from hwsim.schedule.cascade_places import constant_bytes
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.objective import Aim, Rank
from hwsim.schedule.storage import ceil_divide
from hwsim.schedule.tiling import Choice
from hwsim.schedule.walk_figures import CascadeProblem, WalkFigures

MOST_STRIPS = 32
"""Strips that are tried at most; narrower ones would recompute more than `MOST_RECOMPUTED`."""


class Walks:
    """The walks through a cascade that are tried.

    Args:
        problem: the cascade.
        works: of its stages.
        aim: what is minimized.
    """

    def __init__(self, problem: CascadeProblem, works: Sequence[GroupWork], aim: Aim) -> None:
        sram = problem.accelerator.sram
        constants = constant_bytes(problem.cascade, sram.word_bits // 8)
        self._available = sram.size_kib * 1024 - constants
        self._figures = WalkFigures(problem, works, aim)
        self._unit = problem.cascade.unit

    def least(self) -> Choice[Walk] | None:
        """The first one, with a rank that none goes below; None if it does not fit SRAM."""
        columns, rows = self._unit.width, _row_choices(self._unit.height)[0]
        figures = self._figures
        cut, held = figures.cut(columns), figures.steps(rows, ahead=False).held
        size_bytes = sum(map(mul, held, figures.row_bytes(columns)))
        if cut is None or size_bytes > self._available:
            return None
        return Choice(Walk(columns, rows), figures.least_rank(cut))

    def best(self) -> Choice[Walk] | None:
        """The best one that fits SRAM; None if none does."""
        if self._available <= 0:
            return None
        figures = self._figures
        every_steps = list(product(_row_choices(self._unit.height), (False, True)))
        best: tuple[tuple[Rank, int], Choice[Walk]] | None = None
        for columns in _column_choices(self._unit.width):
            cut = figures.cut(columns)
            if cut is None:
                break
            if best is not None and figures.least_rank(cut) > best[1].rank:
                continue
            row_bytes = figures.row_bytes(columns)
            for rows, ahead in every_steps:
                if best is not None and figures.least_step_rank(cut, rows, ahead) > best[1].rank:
                    continue
                size_bytes = sum(map(mul, figures.steps(rows, ahead).held, row_bytes))
                if size_bytes > self._available:
                    continue
                rank = figures.rank(cut, rows, ahead)
                if best is None or (rank, size_bytes) < best[0]:
                    best = (rank, size_bytes), Choice(Walk(columns, rows, ahead), rank)
        return None if best is None else best[1]


def _row_choices(height: int) -> list[int]:
    """Powers of two up to 16 and below the height; more rows take memory and save little."""
    return [rows for rows in (1, 2, 4, 8, 16) if rows < height] or [height]


def _column_choices(width: int) -> list[int]:
    """Widths of 1, 2, 3 … equal strips, the widest first."""
    counts = range(1, min(MOST_STRIPS, width) + 1)
    return list(dict.fromkeys(ceil_divide(width, count) for count in counts))
