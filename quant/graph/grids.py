"""Height and width of every feature map: what each operator makes of its operands' sizes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from quant.graph.operators import (
    AveragePool,
    BilinearResize,
    Convolution,
    NearestResize,
    Operator,
    PixelShuffle,
    ScaledConvolution,
    Statistics,
    TransposedConvolution,
)


@dataclass(frozen=True, slots=True)
class Size:
    """Height and width of a feature map, in pixels."""

    height: int
    width: int

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.height * self.width

    def __str__(self) -> str:
        return f"{self.height}×{self.width}"


ONE_PIXEL = Size(1, 1)


@dataclass(frozen=True, slots=True)
class _Grid:
    """How an operator's output relates to its first operand's height and width.

    Attributes:
        size: (operator, size of the operand) to the size of the output.
        scale: output pixels per input pixel down and across, far from the borders.
    """

    size: Callable[[Any, Size], Size]
    scale: Callable[[Any], tuple[Fraction, Fraction]]


def _convolved(convolution: Convolution, size: Size) -> Size:
    rows, columns = convolution.window
    return Size(
        (size.height + convolution.padding.rows - rows) // convolution.stride[0] + 1,
        (size.width + convolution.padding.columns - columns) // convolution.stride[1] + 1,
    )


def _spread(convolution: TransposedConvolution, size: Size) -> Size:
    (rows, columns), (down, across) = convolution.kernel, convolution.stride
    return Size(
        (size.height - 1) * down + 1 + convolution.padding.rows - rows + 1,
        (size.width - 1) * across + 1 + convolution.padding.columns - columns + 1,
    )


def _pooled(pool: AveragePool, size: Size) -> Size:
    return Size(
        (size.height - pool.kernel[0]) // pool.stride[0] + 1,
        (size.width - pool.kernel[1]) // pool.stride[1] + 1,
    )


def _enlarged(operator: PixelShuffle | NearestResize | BilinearResize, size: Size) -> Size:
    return Size(size.height * operator.factor, size.width * operator.factor)


def _by_stride(operator: Convolution | AveragePool) -> tuple[Fraction, Fraction]:
    return Fraction(1, operator.stride[0]), Fraction(1, operator.stride[1])


def _by_factor(
    operator: PixelShuffle | NearestResize | BilinearResize,
) -> tuple[Fraction, Fraction]:
    return Fraction(operator.factor), Fraction(operator.factor)


_UNCHANGED = _Grid(lambda _, size: size, lambda _: (Fraction(1), Fraction(1)))
_FACTOR = _Grid(_enlarged, _by_factor)
_CONVOLVED = _Grid(_convolved, _by_stride)
_GRIDS: dict[type[Operator], _Grid] = {
    Convolution: _CONVOLVED,
    ScaledConvolution: _CONVOLVED,
    TransposedConvolution: _Grid(
        _spread, lambda operator: (Fraction(operator.stride[0]), Fraction(operator.stride[1]))
    ),
    AveragePool: _Grid(_pooled, _by_stride),
    PixelShuffle: _FACTOR,
    NearestResize: _FACTOR,
    BilinearResize: _FACTOR,
    Statistics: _Grid(lambda _, size: ONE_PIXEL, lambda _: (Fraction(0), Fraction(0))),
}
"""Operators that change the grid; all others keep it."""


def output_size(operator: Operator, operands: Sequence[Size]) -> Size:
    """Height and width an operator makes of its operands'; at least one operand."""
    return _GRIDS.get(type(operator), _UNCHANGED).size(operator, operands[0])


def output_scale(operator: Operator, operand: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Pixels of the output per pixel of the image, down and across, given the first operand's."""
    scale = _GRIDS.get(type(operator), _UNCHANGED).scale(operator)
    return tuple(one * other for one, other in zip(operand, scale, strict=True))
