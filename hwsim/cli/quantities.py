"""Quantities with their units, as people write them: ``33ms``, ``5mJ``, ``512KiB``, ``30fps``."""

import re
from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

_NUMBER_AND_UNIT = re.compile(
    r"(\d{1,15}(?:\.\d{0,15})?|\.\d{1,15}) ?([A-Za-zµμ/]*[2²]?)", re.ASCII
)

_SECONDS = {"s": Fraction(1), "ms": Fraction(1, 10**3), "us": Fraction(1, 10**6)}
_JOULES = {
    "J": Fraction(1),
    "mJ": Fraction(1, 10**3),
    "uJ": Fraction(1, 10**6),
    "nJ": Fraction(1, 10**9),
}
_SAME_SIGNS = str.maketrans("µμ²", "uu2")
# Prefixes of the SI count in thousands, those of IEC 80000-13 in 1024s.
_BYTES = {
    "B": Fraction(1),
    "kB": Fraction(10**3),
    "MB": Fraction(10**6),
    "GB": Fraction(10**9),
    "KiB": Fraction(2**10),
    "MiB": Fraction(2**20),
    "GiB": Fraction(2**30),
}
_SQUARE_MILLIMETRES = {"mm2": Fraction(1), "um2": Fraction(1, 10**6)}
_CYCLES = "cycles"


@dataclass(frozen=True, slots=True)
class Latency:
    """How long an image may take: one of both is given.

    Attributes:
        seconds: as a time.
        cycles: as cycles of whatever machine.
    """

    seconds: Fraction | None = None
    cycles: int | None = None


def energy_uj(text: str) -> float:
    """Microjoules of an energy such as ``5mJ``.

    Raises:
        ArgumentTypeError: no positive number with a unit of energy.
    """
    return float(_amount(text, _JOULES, "an energy", "5mJ") * 10**6)


def whole_bytes(text: str) -> int:
    """Bytes of an amount of data such as ``512KiB``, rounded down.

    Raises:
        ArgumentTypeError: no positive number with a unit of data.
    """
    return int(_amount(text, _BYTES, "an amount of data", "512KiB"))


def square_millimetres(text: str) -> float:
    """Square millimetres of an area such as ``3mm2`` or ``3mm²``.

    Raises:
        ArgumentTypeError: no positive number with a unit of area.
    """
    return float(_amount(text, _SQUARE_MILLIMETRES, "an area", "3mm2"))


def latency(text: str) -> Latency:
    """A time such as ``33ms``, or ``900000cycles``.

    Raises:
        ArgumentTypeError: no positive number with a unit of time, nor of cycles.
    """
    units = {**_SECONDS, _CYCLES: Fraction(1)}
    amount = _amount(text, units, "a time", "33ms")
    return Latency(cycles=int(amount)) if text.endswith(_CYCLES) else Latency(amount)


def frame_time(text: str) -> Latency:
    """The time of one image at a rate such as ``30`` or ``30fps``.

    Raises:
        ArgumentTypeError: no positive number.
    """
    units = {"": Fraction(1), "fps": Fraction(1)}
    return Latency(1 / _amount(text, units, "frames per second", "30"))


def decibels(text: str) -> float:
    """Decibels such as ``37.5`` or ``37.5dB``.

    Raises:
        ArgumentTypeError: no positive number.
    """
    return float(_amount(text, {"": Fraction(1), "dB": Fraction(1)}, "decibels", "37.5"))


def _amount(text: str, units: Mapping[str, Fraction], what: str, example: str) -> Fraction:
    match = _NUMBER_AND_UNIT.fullmatch(text)
    number = Fraction(match[1]) if match else Fraction(0)
    unit = match[2].translate(_SAME_SIGNS) if match else ""
    if number <= 0 or unit not in units:
        known = [name for name in units if name]
        raise ArgumentTypeError(
            f"expected {what} above zero such as {example} (in {', '.join(known)}), got '{text}'"
        )
    return number * units[unit]
