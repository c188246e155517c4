"""What a module's header says: its parameters' defaults and its ports, in numbers."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Value = int | str

_PARAMETER = re.compile(r"parameter\s+(?:\[[^\]]*\]\s*)?(\w+)\s*=\s*([^,\n]+)")
_PORT = re.compile(r"\b(input|output)\s+(?:reg\s+)?(signed\s+)?(?:\[([^\]]+):0\]\s*)?(\w+)")
_COMMENT = re.compile(r"//.*")


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a module with given parameters.

    Attributes:
        name: of the port.
        direction: ``input`` or ``output``.
        bits: its width.
        is_signed: whether it is declared so.
    """

    name: str
    direction: str
    bits: int
    is_signed: bool


def ports_of(source: Path, given: Mapping[str, Value]) -> tuple[Port, ...]:
    """The ports of the module in a file.

    Args:
        source: a file of this folder, written as all of them are: parameters in ``#( )`` before
            the ports, one declaration each.
        given: values of parameters that have not their defaults.
    """
    text = _COMMENT.sub("", source.read_text())
    parameters, _, ports = text[text.index("#(") + 2 :].partition("\n) (")
    values: dict[str, Value] = {}
    for name, expression in _PARAMETER.findall(parameters):
        values[name] = given[name] if name in given else _evaluated(expression, values)
    header = ports[: ports.index(");")]
    return tuple(
        Port(name, direction, _bits(most, values), bool(signed))
        for direction, signed, most, name in _PORT.findall(header)
    )


def _bits(most: str, values: Mapping[str, Value]) -> int:
    if not most:
        return 1
    highest = _evaluated(most, values)
    assert isinstance(highest, int)
    return highest + 1


def _evaluated(expression: str, values: Mapping[str, Value]) -> Value:
    """A constant expression of Verilog, as far as the files of this folder use them."""
    python = expression.replace("$clog2", "clog2").replace("/", "//")
    choice = re.fullmatch(r"(.+?)\?(.+):(.+)", python)
    if choice:
        condition, yes, no = choice.groups()
        python = f"({yes}) if ({condition}) else ({no})"
    return _value(ast.parse(python.strip(), mode="eval").body, values)


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | str() as constant):
            return constant
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATORS[type(sign)](_value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _OPERATORS[type(sign)](_value(left, values), _value(right, values))
        case ast.IfExp(test=test, body=yes, orelse=no):
            return _value(yes if _value(test, values) else no, values)
        case ast.Call(args=[argument]):  # of $clog2
            return (int(_value(argument, values)) - 1).bit_length()
    raise ValueError(f"no constant expression of these files: {ast.unparse(node)}")


_OPERATORS: Mapping[type[ast.AST], Callable[..., Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
