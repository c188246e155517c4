"""Which input rows and columns the outputs of a tile read, along one axis of an operator."""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from hwsim.arithmetic.geometry import interpolation
from quant.graph import BilinearResize, Convolution, Operator, ScaledConvolution, Size


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive input positions that some outputs read, ``last`` excluded.

    ``before`` and ``behind`` are how far the window reaches beyond the image on either side.
    """

    first: int
    last: int
    before: int = 0
    behind: int = 0

    @property
    def count(self) -> int:
        """Positions in the image."""
        return self.last - self.first


class Axis(Hashable, Protocol):
    """How outputs along one axis read inputs."""

    def span(self, start: int, stop: int) -> Span:
        """What the outputs from ``start`` on read, ``stop`` excluded."""

    def reach(self, count: int) -> int:
        """The most positions that ``count`` neighbouring outputs span."""

    def advance(self, count: int) -> int:
        """The most positions that the next ``count`` outputs span beyond those before them."""

    def loaded(self, total: int, count: int) -> int:
        """Positions that are loaded while ``total`` outputs are computed, ``count`` at a time."""


@dataclass(frozen=True, slots=True)
class SlidingAxis:
    """A window that moves ``step`` positions from one output to the next.

    Attributes:
        extent: positions of the input.
        step: positions between neighbouring windows.
        window: positions from a window's first tap to its last.
        before: positions of padding in front of the input.
    """

    extent: int
    step: int
    window: int
    before: int

    def span(self, start: int, stop: int) -> Span:
        """See `Axis`."""
        first = start * self.step - self.before
        last = (stop - 1) * self.step - self.before + self.window
        return Span(
            max(0, first), min(self.extent, last), max(0, -first), max(0, last - self.extent)
        )

    def reach(self, count: int) -> int:
        """See `Axis`."""
        return (count - 1) * self.step + self.window

    def advance(self, count: int) -> int:
        """See `Axis`."""
        return count * self.step

    def loaded(self, total: int, count: int) -> int:
        """See `Axis`."""
        if self.step <= self.window:
            return self.span(0, total).count
        # Between windows that lie apart nothing is loaded.
        return sum(read * pieces for read, pieces in window_counts(self, total, count))


@dataclass(frozen=True, slots=True)
class InterpolatedAxis:
    """Outputs that lie between two inputs each, of which borders repeat.

    Attributes:
        extent: positions of the input.
        factor: outputs per input.
        half_pixel_centers: whether pixels are squares with a centre.
    """

    extent: int
    factor: int
    half_pixel_centers: bool

    def span(self, start: int, stop: int) -> Span:
        """See `Axis`."""
        before, behind, _ = interpolation(self.extent, self.factor, self.half_pixel_centers)
        return Span(int(before[start]), int(behind[stop - 1]) + 1)

    def reach(self, count: int) -> int:
        """See `Axis`."""
        first, last = self._tiles(count)
        return int((last - first).max())

    def advance(self, count: int) -> int:
        """See `Axis`."""
        _, last = self._tiles(count)
        return int(np.diff(last).max(initial=0))

    def loaded(self, total: int, count: int) -> int:
        """See `Axis`."""
        return self.span(0, total).count

    def _tiles(self, count: int) -> tuple[Any, Any]:
        """First position of every tile of ``count`` outputs, and the one behind its last."""
        before, behind, _ = interpolation(self.extent, self.factor, self.half_pixel_centers)
        ends = np.append(np.arange(count, len(behind), count), len(behind))
        return before[::count], behind[ends - 1] + 1


def _sliding(convolution: Convolution, size: Size) -> tuple[Axis, Axis]:
    (down, across), (rows, columns) = convolution.stride, convolution.window
    padding = convolution.padding
    return (
        SlidingAxis(size.height, down, rows, padding.top),
        SlidingAxis(size.width, across, columns, padding.left),
    )


def _interpolated(resize: BilinearResize, size: Size) -> tuple[Axis, Axis]:
    return (
        InterpolatedAxis(size.height, resize.factor, resize.half_pixel_centers),
        InterpolatedAxis(size.width, resize.factor, resize.half_pixel_centers),
    )


_AXES: dict[type[Operator], Callable[[Any, Size], tuple[Axis, Axis]]] = {
    Convolution: _sliding,
    ScaledConvolution: _sliding,
    BilinearResize: _interpolated,
}


@lru_cache(maxsize=256)  # the few windowed operators of a graph, asked for by every tiling tried
def input_axes(operator: Operator, size: Size) -> tuple[Axis, Axis]:
    """How a windowed operator reads an input of a size, down and across."""
    return _AXES[type(operator)](operator, size)


@lru_cache(maxsize=1 << 12)  # groups of a graph have few kernels and grids
def window_counts(axis: Axis, total: int, count: int) -> tuple[tuple[int, int], ...]:
    """Positions that pieces of ``count`` of ``total`` outputs read, with how many read so many."""
    read = Counter(
        axis.span(start, min(start + count, total)).count for start in range(0, total, count)
    )
    return tuple(read.items())
