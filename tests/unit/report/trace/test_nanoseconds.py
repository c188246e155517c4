"""Cycles on whole nanoseconds: no overlaps, lengths that add up, the same for every viewer."""

from fractions import Fraction
from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from hwsim.report.trace.nanoseconds import WholeNanoseconds, microseconds

CLOCKS = st.one_of(
    st.sampled_from((800.0, 400.0, 1000.0, 333.3, 1234.5, 2000.0)),
    st.floats(1, 5000, allow_nan=False).map(lambda clock_mhz: round(clock_mhz, 3)),
)
GAPS_AND_LENGTHS = st.lists(
    st.tuples(st.one_of(st.just(0), st.integers(0, 10**7)), st.integers(0, 10**7)), min_size=1
)


def placed(clock_mhz: float, parts: list[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Start and length of slices in cycles, then in nanoseconds."""
    time = WholeNanoseconds(clock_mhz)
    ends = list(accumulate(gap + length for gap, length in parts))
    starts = [end - length for end, (_, length) in zip(ends, parts, strict=True)]
    return [
        (start, length, *time.place(start, length))
        for start, (_, length) in zip(starts, parts, strict=True)
    ]


@given(CLOCKS, GAPS_AND_LENGTHS)
def test_slices_do_not_overlap_and_lie_where_they_should(
    clock_mhz: float, parts: list[tuple[int, int]]
) -> None:
    slices = placed(clock_mhz, parts)

    nanoseconds = 1000 / Fraction(clock_mhz)
    for (*_, start, length), (*_, following, _) in pairwise(slices):
        assert start + length <= following
    for start, cycles, start_ns, length_ns in slices:
        assert length_ns >= 0
        assert -1.5 <= start_ns - start * nanoseconds <= 0.5
        assert -1.5 <= start_ns + length_ns - (start + cycles) * nanoseconds <= 0.5


@given(CLOCKS, GAPS_AND_LENGTHS)
def test_lengths_add_up_to_the_cycles(clock_mhz: float, parts: list[tuple[int, int]]) -> None:
    slices = placed(clock_mhz, parts)

    total = sum(length_ns for *_, length_ns in slices)
    busy = sum(cycles for _, cycles, *_ in slices)
    assert abs(total - busy * 1000 / Fraction(clock_mhz)) <= Fraction(1, 2)


@given(CLOCKS, st.lists(st.integers(1, 10**7), min_size=1))
def test_without_gaps_the_end_is_the_nearest_nanosecond(
    clock_mhz: float, lengths: list[int]
) -> None:
    *_, (start, cycles, start_ns, length_ns) = placed(clock_mhz, [(0, each) for each in lengths])

    assert start_ns + length_ns == WholeNanoseconds(clock_mhz).moment(start + cycles)


@given(st.integers(0, 10**15))
def test_viewers_that_cut_off_and_viewers_that_round_find_the_same_nanosecond(
    nanoseconds: int,
) -> None:
    written = float(repr(microseconds(nanoseconds)))

    assert int(written * 1000) == round(written * 1000) == nanoseconds
