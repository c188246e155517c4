"""Types of the integer graph: which integers a tensor holds and what they mean in real numbers."""

import re
from dataclasses import dataclass, field

from quant.common.codes import CodeKind
from quant.common.errors import UserError

MINIMUM_BITS, MAXIMUM_BITS = 1, 16
_LETTER = {CodeKind.SIGNED: "s", CodeKind.UNSIGNED: "u", CodeKind.ODD: "o"}
_KIND = {letter: kind for kind, letter in _LETTER.items()}


@dataclass(frozen=True, slots=True)
class IntegerType:
    """The set of integers a code of ``bits`` bits stands for (see `CodeKind`).

    Written ``u8`` (unsigned), ``s4`` (two's complement) or ``o2`` (odd integers). Feature maps are
    signed or unsigned; odd integers are for weights, because rounding a sum yields even integers
    too.

    Raises:
        UserError: ``bits`` is outside 1–16.
    """

    bits: int
    kind: CodeKind = CodeKind.UNSIGNED

    def __post_init__(self) -> None:
        if not MINIMUM_BITS <= self.bits <= MAXIMUM_BITS:
            raise UserError(
                f"bit-width: expected {MINIMUM_BITS} to {MAXIMUM_BITS} bits, "
                f"given {self.bits}; choose a width in that range"
            )

    @property
    def low(self) -> int:
        """The smallest integer of the type."""
        return {
            CodeKind.SIGNED: -(1 << (self.bits - 1)),
            CodeKind.UNSIGNED: 0,
            CodeKind.ODD: 1 - (1 << self.bits),
        }[self.kind]

    @property
    def high(self) -> int:
        """The largest integer of the type."""
        return (1 << (self.bits - 1 if self.kind is CodeKind.SIGNED else self.bits)) - 1

    @property
    def magnitude(self) -> int:
        """The largest absolute value of the type."""
        return max(-self.low, self.high)

    def __str__(self) -> str:
        return f"{_LETTER[self.kind]}{self.bits}"

    @classmethod
    def parse(cls, text: str) -> "IntegerType":
        """Read the spelling ``str`` gives back, such as ``u8``.

        Raises:
            UserError: the text is no such spelling.
        """
        match = re.fullmatch(r"([suo])(\d{1,2})", text, re.ASCII)
        if match is None:
            raise UserError(
                f"integer type '{text}': expected s, u or o and a width such as 'u8'; correct it"
            )
        return cls(int(match[2]), _KIND[match[1]])


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
