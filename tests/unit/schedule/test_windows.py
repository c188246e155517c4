"""Spans of input rows and columns against a count of every tap."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.schedule.windows import Axis, InterpolatedAxis, SlidingAxis, Span


@st.composite
def sliding_axes(draw: st.DrawFn) -> tuple[SlidingAxis, int, int]:
    """An axis, its outputs, and the padding behind the input."""
    step, window = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    before, behind = (draw(st.integers(0, window - 1)) for _ in range(2))
    extent = draw(st.integers(max(1, window - before - behind), 30))
    outputs = (extent + before + behind - window) // step + 1
    return SlidingAxis(extent, step, window, before), outputs, behind


def _tiles(axis: Axis, outputs: int, count: int) -> list[Span]:
    return [axis.span(start, min(start + count, outputs)) for start in range(0, outputs, count)]


@given(sliding_axes(), st.integers(1, 9))
def test_a_sliding_span_holds_every_tap_of_its_outputs(
    case: tuple[SlidingAxis, int, int], count: int
) -> None:
    axis, outputs, behind = case
    for start, span in zip(range(0, outputs, count), _tiles(axis, outputs, count), strict=True):
        stop = min(start + count, outputs)
        taps = [
            place * axis.step - axis.before + tap
            for place in range(start, stop)
            for tap in range(axis.window)
        ]
        inside = [tap for tap in taps if 0 <= tap < axis.extent]
        assert (span.first, span.last) == (min(inside), max(inside) + 1)
        assert span.before == max(0, -min(taps))
        assert span.behind == max(0, max(taps) + 1 - axis.extent) <= behind
        assert span.before + span.count + span.behind == (stop - start - 1) * axis.step + (
            axis.window
        )


def test_an_odd_size_leaves_the_last_row_of_a_stride_unread() -> None:
    axis = SlidingAxis(extent=8, step=2, window=3, before=0)  # outputs at rows 0, 2 and 4
    assert axis.span(0, 3) == Span(0, 7)
    assert axis.span(2, 3) == Span(4, 7)
    assert axis.loaded(3, 1) == 7


def test_rows_between_windows_that_lie_apart_are_not_loaded() -> None:
    axis = SlidingAxis(extent=10, step=3, window=1, before=0)
    assert axis.loaded(4, 1) == 4
    assert axis.loaded(4, 2) == 8
    assert axis.loaded(4, 4) == 10


@given(st.integers(1, 40), st.integers(1, 4), st.booleans(), st.integers(1, 50))
def test_an_interpolated_span_holds_both_neighbours_of_its_outputs(
    extent: int, factor: int, half_pixel_centers: bool, count: int
) -> None:
    axis, outputs = InterpolatedAxis(extent, factor, half_pixel_centers), extent * factor
    scale = (1024 * extent + outputs // 2) // outputs
    offset = scale // 2 - 512 if half_pixel_centers else 0
    for start, span in zip(range(0, outputs, count), _tiles(axis, outputs, count), strict=True):
        positions = np.arange(start, min(start + count, outputs)) * scale + offset
        lower = np.clip(np.floor(positions / 1024), 0, extent - 1)
        upper = np.clip(np.ceil(positions / 1024), 0, extent - 1)
        assert (span.first, span.last) == (lower.min(), upper.max() + 1)
        assert (span.before, span.behind) == (0, 0)


@given(
    st.one_of(
        sliding_axes().map(lambda case: (case[0], case[1])),
        st.builds(
            lambda extent, factor, centers: (
                InterpolatedAxis(extent, factor, centers),
                extent * factor,
            ),
            st.integers(1, 40),
            st.integers(1, 4),
            st.booleans(),
        ),
    ),
    st.integers(1, 50),
)
def test_reach_and_advance_bound_every_tile(case: tuple[Axis, int], count: int) -> None:
    axis, outputs = case
    spans = _tiles(axis, outputs, count)
    assert all(span.count <= axis.reach(count) for span in spans)
    steps = pairwise(spans)
    assert all(later.last - earlier.last <= axis.advance(count) for earlier, later in steps)
    loaded, reached = 0, 0
    for span in spans:
        loaded += span.last - max(reached, span.first)
        reached = span.last
    assert loaded == axis.loaded(outputs, count)
