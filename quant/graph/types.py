"""Types of the integer graph: which integers a tensor holds and what they mean in real numbers."""

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from quant.common.codes import CodeKind
from quant.common.errors import UserError

MINIMUM_BITS, MAXIMUM_BITS = 1, 16
SUM_BITS = 40
"""Width of a statistic over a whole feature map, the one tensor that is wider than codes are."""

_LETTER = {CodeKind.SIGNED: "s", CodeKind.UNSIGNED: "u", CodeKind.ODD: "o"}
_KIND = {letter: kind for kind, letter in _LETTER.items()}


@dataclass(frozen=True, slots=True)
class IntegerType:
    """The set of integers a code of ``bits`` bits stands for (see `CodeKind`).

    Written ``u8`` (unsigned), ``s4`` (two's complement), ``o2`` (odd integers) or
    ``t2(-3,0,1,3)`` (a table). Rounding a sum yields consecutive integers, so feature maps of odd
    integers and of tables come from lookup tables only.

    Attributes:
        bits: width of a code, 1 to 16; up to `SUM_BITS` where signed, for statistics.
        kind: how codes stand for integers.
        values: the integers of a table, ascending; empty for the other kinds.

    Raises:
        UserError: ``bits`` is out of range, or ``values`` are no such table.
    """

    bits: int
    kind: CodeKind = CodeKind.UNSIGNED
    values: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        most = SUM_BITS if self.kind is CodeKind.SIGNED else MAXIMUM_BITS
        if not MINIMUM_BITS <= self.bits <= most:
            raise UserError(
                f"bit-width: expected {MINIMUM_BITS} to {MAXIMUM_BITS} bits, "
                f"given {self.bits}; choose a width in that range"
            )
        if (self.kind is CodeKind.TABLE) != bool(self.values):
            raise UserError(
                f"integer type: expected values for a table and for no other kind, given "
                f"{len(self.values)} of them; correct them"
            )
        if len(self.values) > 1 << self.bits or list(self.values) != sorted(set(self.values)):
            raise UserError(
                f"integer table: expected at most {1 << self.bits} different integers, ascending, "
                f"for {self.bits} bits, given {len(self.values)}; correct them"
            )

    @property
    def low(self) -> int:
        """The smallest integer of the type."""
        match self.kind:
            case CodeKind.SIGNED:
                return -(1 << (self.bits - 1))
            case CodeKind.UNSIGNED:
                return 0
            case CodeKind.ODD:
                return 1 - (1 << self.bits)
            case CodeKind.TABLE:
                return self.values[0]

    @property
    def high(self) -> int:
        """The largest integer of the type."""
        if self.kind is CodeKind.TABLE:
            return self.values[-1]
        return (1 << (self.bits - 1 if self.kind is CodeKind.SIGNED else self.bits)) - 1

    @property
    def magnitude(self) -> int:
        """The largest absolute value of the type."""
        return max(-self.low, self.high)

    @property
    def is_consecutive(self) -> bool:
        """Whether the type holds every integer from ``low`` to ``high``."""
        return self.kind in (CodeKind.SIGNED, CodeKind.UNSIGNED)

    def contains(self, integers: NDArray[np.int64]) -> bool:
        """Whether every one of some integers is of the type."""
        if self.kind is CodeKind.TABLE:
            return bool(np.isin(integers, self.values).all())
        inside = integers.min() >= self.low and integers.max() <= self.high
        return bool(inside and (self.kind is not CodeKind.ODD or (integers & 1).all()))

    def __str__(self) -> str:
        if self.kind is CodeKind.TABLE:
            return f"t{self.bits}({','.join(str(value) for value in self.values)})"
        return f"{_LETTER[self.kind]}{self.bits}"

    @classmethod
    def parse(cls, text: str) -> "IntegerType":
        """Read the spelling ``str`` gives back, such as ``u8``.

        Raises:
            UserError: the text is no such spelling.
        """
        if match := re.fullmatch(r"([suo])(\d{1,2})", text, re.ASCII):
            return cls(int(match[2]), _KIND[match[1]])
        if match := re.fullmatch(r"t(\d{1,2})\((-?\d+(?:,-?\d+)*)\)", text, re.ASCII):
            values = tuple(int(value) for value in match[2].split(","))
            return cls(int(match[1]), CodeKind.TABLE, values)
        raise UserError(
            f"integer type '{text}': expected s, u or o and a width such as 'u8', or a table "
            "such as 't2(-3,0,1,3)'; correct it"
        )


@dataclass(frozen=True, slots=True)
class Encoding:
    """What integers mean: real = scale · (integer − zero_point).

    ``zero_point`` holds one integer for the whole tensor or one per channel. No operator reads
    an encoding: the constants inside the operators already carry it, so no float takes part in
    executing a graph. It is for decoding, for checking and for people.
    """

    scale: float
    zero_point: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class TensorType:
    """A feature map of ``channels`` channels; its height and width follow from the input image."""

    channels: int
    integer: IntegerType
    encoding: Encoding = field(default_factory=lambda: Encoding(1.0))

    def __str__(self) -> str:
        return f"{self.channels}×{self.integer}"


@dataclass(frozen=True, slots=True)
class Padding:
    """Rows and columns of pad codes around a feature map."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    @classmethod
    def even(cls, rows: int, columns: int) -> "Padding":
        """The same above as below, and left as right."""
        return cls(rows, rows, columns, columns)

    @property
    def rows(self) -> int:
        """Rows in all."""
        return self.top + self.bottom

    @property
    def columns(self) -> int:
        """Columns in all."""
        return self.left + self.right

    def __str__(self) -> str:
        return f"({self.top}, {self.bottom}, {self.left}, {self.right})"
