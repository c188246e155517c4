"""Cycles as the whole nanoseconds that trace viewers count in.

A viewer keeps start and length of a slice as whole nanoseconds. Rounded one by one, slices that
follow each other without a gap would overlap now and then, and viewers drop slices that do.
"""

from fractions import Fraction
from math import inf, nextafter

_NANOSECONDS_PER_MICROSECOND = 1000


class WholeNanoseconds:
    """Places the slices of one track: none overlaps another, and their lengths add up.

    Time at work and time between slices are summed up apart, in cycles, and only the sums are
    rounded: the lengths of any first slices of the track are together within half a nanosecond of
    their cycles, and every slice ends at most half a nanosecond late, at most one and a half early.
    """

    def __init__(self, clock_mhz: float) -> None:
        nanoseconds_per_cycle = 1000 / Fraction(clock_mhz)
        self._numerator, self._denominator = nanoseconds_per_cycle.as_integer_ratio()
        self._busy_cycles = 0

    def place(self, start: int, cycles: int) -> tuple[int, int]:
        """Start and length in nanoseconds of the track's next slice.

        Args:
            start: in cycles, not before the end of the slice before.
            cycles: how long it is.
        """
        idle = (start - self._busy_cycles) * self._numerator // self._denominator
        before = self._rounded(self._busy_cycles)
        self._busy_cycles += cycles
        return idle + before, self._rounded(self._busy_cycles) - before

    def moment(self, cycle: int) -> int:
        """The nanosecond nearest to a cycle."""
        return self._rounded(cycle)

    def _rounded(self, cycles: int) -> int:
        return (2 * cycles * self._numerator + self._denominator) // (2 * self._denominator)


def microseconds(nanoseconds: int) -> float:
    """Whole nanoseconds in the unit of the file.

    The number of microseconds may lie a hair above, so that viewers that multiply by 1000 and cut
    off what is behind the point find the same nanosecond as those that round.
    """
    value = nanoseconds / _NANOSECONDS_PER_MICROSECOND
    if int(value * _NANOSECONDS_PER_MICROSECOND) < nanoseconds:
        value = nextafter(value, inf)
    return value
