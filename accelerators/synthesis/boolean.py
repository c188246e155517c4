"""Boolean functions as Liberty files write them, as truth tables."""

import re
from collections.abc import Sequence

from quant.common.errors import UserError

MOST_INPUTS = 6
"""A truth table fits a word of 64 bits."""

_TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\].]*|[01]|[()!'^&*+|])")


def truth_table(function: str, inputs: Sequence[str]) -> int:
    """The function as bits: bit i is its value where input j is bit j of i.

    Operators are those of Liberty, from the strongest: ``!`` before or ``'`` behind (not), ``^``,
    then ``&``, ``*`` or nothing between (and), then ``+`` or ``|`` (or).

    Raises:
        UserError: it is no such function, or has other variables than the inputs.
    """
    return _Parser(function, inputs).parsed()


class _Parser:
    """Recursive descent; every value is a truth table already."""

    def __init__(self, function: str, inputs: Sequence[str]) -> None:
        self._function = function
        rows = 1 << len(inputs)
        self._all = (1 << rows) - 1
        self._columns = {
            name: sum(1 << row for row in range(rows) if row >> place & 1)
            for place, name in enumerate(inputs)
        }
        self._tokens = self._split(function)
        self._place = 0

    def parsed(self) -> int:
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

    def _or(self) -> int:
        value = self._and()
        while self._takes("+|"):
            value |= self._and()
        return value

    def _and(self) -> int:
        value = self._xor()
        while self._takes("&*") or self._begins_factor():
            value &= self._xor()
        return value

    def _xor(self) -> int:
        value = self._not()
        while self._takes("^"):
            value ^= self._not()
        return value

    def _not(self) -> int:
        if self._takes("!"):
            return self._all ^ self._not()
        value = self._factor()
        while self._takes("'"):
            value ^= self._all
        return value

    def _begins_factor(self) -> bool:
        token = self._next()
        return token in ("(", "!", "0", "1") or token in self._columns

    def _factor(self) -> int:
        token = self._next()
        self._place += 1
        if token == "(":
            value = self._or()
            if not self._takes(")"):
                raise self._failed("a ')' is missing")
            return value
        if token in ("0", "1"):
            return self._all if token == "1" else 0
        if token not in self._columns:
            raise self._failed(f"'{token}' is no input")
        return self._columns[token]

    def _failed(self, why: str) -> UserError:
        return UserError(f'cannot read the Liberty function "{self._function}": {why}')
