"""Figures known at a few widths: curves, and grids and fits by the widths of two operands."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from accelerators.schema import LongText
from quant.common.schemas import Contradictions, Schema

Positive = Annotated[float, Field(gt=0, le=1e6)]
Point = Annotated[tuple[Positive, ...], Field(min_length=2, max_length=2, strict=False)]
Coefficient = Annotated[float, Field(ge=0, le=1e6)]


class Curve(Schema):
    """A price that grows with a width, known at a few points."""

    source: LongText
    """Where the points come from."""
    points: Annotated[tuple[Point, ...], Field(min_length=1, strict=False)]
    """Pairs of width and price, both growing."""
    below_first_point: Literal["proportional", "constant"]
    """Down a line through the origin, or never less than the first price."""

    def at(self, width: float) -> float:
        """The price at a width: linear between points, along the last two beyond them."""
        points = [(0.0, 0.0), *self.points]
        if width <= self.points[0][0] and self.below_first_point == "constant":
            return self.points[0][1]
        last = len(points) - 1
        upper = next((i for i in range(1, last) if width <= points[i][0]), last)
        (x0, y0), (x1, y1) = points[upper - 1], points[upper]
        return y0 + (y1 - y0) * (width - x0) / (x1 - x0)

    def scaled(self, factor: float) -> "Curve":
        """The same curve with every price multiplied."""
        return self.model_copy(
            update={"points": tuple((width, price * factor) for width, price in self.points)}
        )

    @model_validator(mode="after")
    def _grows(self) -> Self:
        problems = [
            (
                ("points", i + 1),
                "expected a larger width and no smaller price than the point before",
            )
            for i, ((x0, y0), (x1, y1)) in enumerate(
                zip(self.points, self.points[1:], strict=False)
            )
            if x1 <= x0 or y1 < y0
        ]
        if problems:
            raise Contradictions(problems)
        return self


Row = Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)]
Widths = Annotated[tuple[int, ...], Field(min_length=1, strict=False)]


class Grid(Schema):
    """A figure known at every pair of a few widths of weights and of activations."""

    weight_bits: Widths
    """Of the rows, ascending."""
    activation_bits: Widths
    """Of the columns, ascending."""
    rows: Annotated[tuple[Row, ...], Field(min_length=1, strict=False)]
    """Figures, growing along rows and columns."""

    def at(self, weight_bits: float, activation_bits: float) -> float:
        """The figure at two widths.

        Linear in both between points; narrower than the first it is that of the first, and beyond
        the last it grows in proportion to the width, so that it never falls.
        """
        i, u = _interval(self.weight_bits, weight_bits)
        j, v = _interval(self.activation_bits, activation_bits)
        along = [_along(row[j : j + 2], v) for row in self.rows[i : i + 2]]
        wider = max(weight_bits / self.weight_bits[-1], 1.0)
        return _along(along, u) * wider * max(activation_bits / self.activation_bits[-1], 1.0)

    @model_validator(mode="after")
    def _is_full_and_grows(self) -> Self:
        axes = (self.weight_bits, self.activation_bits)
        problems = [
            ((name,), "expected ascending widths")
            for name, axis in zip(("weight_bits", "activation_bits"), axes, strict=True)
            if list(axis) != sorted(set(axis))
        ]
        shape = [len(self.activation_bits)] * len(self.weight_bits)
        if [len(row) for row in self.rows] != shape:
            raise Contradictions(
                [(("rows",), f"expected {len(shape)} rows of {shape[0]} figures, one each width")]
            )
        columns = list(zip(*self.rows, strict=True))
        if any(list(line) != sorted(line) for line in (*self.rows, *columns)):
            problems.append((("rows",), "expected figures that never fall as a width grows"))
        if problems:
            raise Contradictions(problems)
        return self


def _interval(axis: Sequence[int], width: float) -> tuple[int, float]:
    """The points of an axis that a width belongs to, by the first of them, and where it lies."""
    if len(axis) == 1 or width <= axis[0]:
        return 0, 0.0
    low = min(bisect_right(axis, width), len(axis) - 1) - 1
    return low, min((width - axis[low]) / (axis[low + 1] - axis[low]), 1.0)


def _along(ends: Sequence[float], share: float) -> float:
    return ends[0] + share * (ends[-1] - ends[0])


class Fit(Schema):
    """constant + per_bit (w + a) + per_activation_bit a + per_weight_bit w + per_bit_pair w a."""

    constant: Coefficient
    """Of any unit."""
    per_bit: Coefficient = 0.0
    """For each bit of both operands."""
    per_activation_bit: Coefficient = 0.0
    """For each bit of an activation."""
    per_weight_bit: Coefficient = 0.0
    """For each bit of a weight."""
    per_bit_pair: Coefficient = 0.0
    """For each pair of a weight's bit and an activation's."""

    def at(self, weight_bits: float, activation_bits: float) -> float:
        """The value for operands of these widths."""
        return (
            self.constant
            + self.per_bit * (weight_bits + activation_bits)
            + self.per_activation_bit * activation_bits
            + self.per_weight_bit * weight_bits
            + self.per_bit_pair * weight_bits * activation_bits
        )
