"""Boolean functions as Liberty files write them, as truth tables and as Verilog."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from quant.common.errors import UserError

MOST_INPUTS = 6
"""A truth table fits a word of 64 bits."""

_TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\].]*|[01]|[()!'^&*+|])")

ValueT = TypeVar("ValueT")


def truth_table(function: str, inputs: Sequence[str]) -> int:
    """The function as bits: bit i is its value where input j is bit j of i.

    Operators are those of Liberty, from the strongest: ``!`` before or ``'`` behind (not), ``^``,
    then ``&``, ``*`` or nothing between (and), then ``+`` or ``|`` (or).

    Raises:
        UserError: it is no such function, or has other variables than the inputs.
    """
    rows = 1 << len(inputs)
    everywhere = (1 << rows) - 1
    columns = {
        name: sum(1 << row for row in range(rows) if row >> place & 1)
        for place, name in enumerate(inputs)
    }
    algebra = _Algebra(
        {**columns, "0": 0, "1": everywhere},
        lambda value: everywhere ^ value,
        operator.xor,
        operator.and_,
        operator.or_,
    )
    return _Parser(function, algebra).parsed()


def verilog_expression(function: str, inputs: Sequence[str]) -> str:
    """The function in Verilog.

    Raises:
        UserError: as `truth_table`.
    """

    def joined(sign: str) -> Callable[[str, str], str]:
        return lambda left, right: f"({left} {sign} {right})"

    algebra = _Algebra(
        {**{name: name for name in inputs}, "0": "1'b0", "1": "1'b1"},
        lambda value: f"~{value}",
        joined("^"),
        joined("&"),
        joined("|"),
    )
    return _Parser(function, algebra).parsed()


@dataclass(frozen=True, slots=True)
class _Algebra(Generic[ValueT]):
    """What functions are worked out in.

    Attributes:
        atoms: values of inputs and constants.
        inverse, exclusive, both, either: operators, the strongest first.
    """

    atoms: dict[str, ValueT]
    inverse: Callable[[ValueT], ValueT]
    exclusive: Callable[[ValueT, ValueT], ValueT]
    both: Callable[[ValueT, ValueT], ValueT]
    either: Callable[[ValueT, ValueT], ValueT]


class _Parser(Generic[ValueT]):
    """Recursive descent, a method for each strength of binding."""

    def __init__(self, function: str, algebra: _Algebra[ValueT]) -> None:
        self._function = function
        self._algebra = algebra
        self._tokens = self._split(function)
        self._place = 0

    def parsed(self) -> ValueT:
        value = self._or()
        if self._next() != "":
            raise self._failed(f"'{self._next()}' is unexpected")
        return value

    def _split(self, function: str) -> list[str]:
        tokens, place = [], 0
        text = function.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise self._failed(f"'{text[place:].strip()}' is no operator")
            tokens.append(found[1])
            place = found.end()
        return tokens

    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _takes(self, operators: str) -> bool:
        if self._next() and self._next() in operators:
            self._place += 1
            return True
        return False

    def _or(self) -> ValueT:
        value = self._and()
        while self._takes("+|"):
            value = self._algebra.either(value, self._and())
        return value

    def _and(self) -> ValueT:
        value = self._xor()
        while self._takes("&*") or self._next() in ("(", "!", *self._algebra.atoms):
            value = self._algebra.both(value, self._xor())
        return value

    def _xor(self) -> ValueT:
        value = self._not()
        while self._takes("^"):
            value = self._algebra.exclusive(value, self._not())
        return value

    def _not(self) -> ValueT:
        if self._takes("!"):
            return self._algebra.inverse(self._not())
        value = self._atom()
        while self._takes("'"):
            value = self._algebra.inverse(value)
        return value

    def _atom(self) -> ValueT:
        token = self._next()
        self._place += 1
        if token == "(":
            value = self._or()
            if not self._takes(")"):
                raise self._failed("a ')' is missing")
            return value
        if token not in self._algebra.atoms:
            raise self._failed(f"'{token}' is no input")
        return self._algebra.atoms[token]

    def _failed(self, why: str) -> UserError:
        return UserError(f'cannot read the Liberty function "{self._function}": {why}')
