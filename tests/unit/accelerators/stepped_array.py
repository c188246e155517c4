"""An output-stationary array stepped register by register: the oracle of the cycle formula.

It computes real products, so a cycle too few anywhere shows as a wrong or missing value.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int64]


@dataclass
class Token:
    """What travels through the array beside an activation: the operand and its place."""

    activation: int
    first: bool
    last: bool


@dataclass
class Element:
    """The registers of one PE."""

    activation: Token | None = None
    weight: int = 0
    accumulator: int = 0
    drain: int | None = None
    captured_at: int | None = None


@dataclass
class SteppedArray:
    """An array of `rows` x `columns` and the values that have left it, column by column."""

    rows: int
    columns: int
    drained: list[list[int]] = field(default_factory=list)
    last_output_cycle: int = -1

    def __post_init__(self) -> None:
        self.grid = [[Element() for _ in range(self.columns)] for _ in range(self.rows)]
        self.drained = [[] for _ in range(self.columns)]

    def run(self, tiles: list[tuple[Matrix, Matrix]], interval: int) -> int:
        """Cycles from the first operand to the last value out of a three-stage requantizer.

        Args:
            tiles: activations [rows, K] and weights [K, columns] of each tile.
            interval: cycles between the starts of two tiles; too few lose or mix values.
        """
        operands = tiles[0][0].shape[1]
        enough = len(tiles) * interval + operands + 2 * self.rows + self.columns
        for cycle in range(enough):
            self._step(cycle, tiles, interval)
        return self.last_output_cycle + 1 + 2  # cycles count from 1; two stages after the first

    def _step(self, cycle: int, tiles: list[tuple[Matrix, Matrix]], interval: int) -> None:
        self._collect_bottom_row(cycle)
        # from the far corner, so that every PE still sees its neighbours' values of this cycle
        for row in reversed(range(self.rows)):
            for column in reversed(range(self.columns)):
                self._shift_drain(cycle, row, column)
                self._compute(cycle, row, column, tiles, interval)

    def _compute(
        self, cycle: int, row: int, column: int, tiles: list[tuple[Matrix, Matrix]], interval: int
    ) -> None:
        element = self.grid[row][column]
        token = (
            self.grid[row][column - 1].activation
            if column
            else _left_edge(cycle - row, row, tiles, interval)
        )
        weight = (
            self.grid[row - 1][column].weight
            if row
            else _top_edge(cycle - column, column, tiles, interval)
        )
        element.activation, element.weight = token, weight
        if token is None:
            return
        before = 0 if token.first else element.accumulator
        element.accumulator = before + token.activation * weight
        if token.last:
            element.drain, element.captured_at = element.accumulator, cycle

    def _shift_drain(self, cycle: int, row: int, column: int) -> None:
        """Row r waits R - r cycles after its own result, then takes r values from above."""
        element = self.grid[row][column]
        if row == 0 or element.captured_at is None:
            return
        first = element.captured_at + self.rows - row
        if first <= cycle < first + row:
            element.drain = self.grid[row - 1][column].drain

    def _collect_bottom_row(self, cycle: int) -> None:
        for column in range(self.columns):
            bottom = self.grid[self.rows - 1][column]
            if bottom.captured_at is None:
                continue
            if bottom.captured_at < cycle <= bottom.captured_at + self.rows:
                assert bottom.drain is not None
                self.drained[column].append(bottom.drain)
                self.last_output_cycle = max(self.last_output_cycle, cycle)


def _operand(cycle: int, tiles: list[tuple[Matrix, Matrix]], interval: int) -> tuple[int, int]:
    """The tile and operand number an unskewed edge feeds in a cycle, or (-1, -1)."""
    tile, operand = divmod(cycle, interval)
    fits = 0 <= tile < len(tiles) and operand < tiles[0][0].shape[1]
    return (tile, operand) if fits else (-1, -1)


def _left_edge(
    cycle: int, row: int, tiles: list[tuple[Matrix, Matrix]], interval: int
) -> Token | None:
    tile, operand = _operand(cycle, tiles, interval)
    if tile < 0:
        return None
    activations = tiles[tile][0]
    last = operand == activations.shape[1] - 1
    return Token(int(activations[row, operand]), operand == 0, last)


def _top_edge(cycle: int, column: int, tiles: list[tuple[Matrix, Matrix]], interval: int) -> int:
    tile, operand = _operand(cycle, tiles, interval)
    return int(tiles[tile][1][operand, column]) if tile >= 0 else 0
