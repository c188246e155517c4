"""Functions of Liberty files against Python's own operators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.synthesis.boolean import truth_table, verilog_expression
from quant.common.errors import UserError

NAMES = ("A", "B", "C")


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("(!(A B))", 0b01110111),
        ("A*B+C", 0b11111000),
        ("A+B&C", 0b11101010),
        ("A^B C", 0b01100000),  # exclusive or binds most
        ("!A'", 0b10101010),
        ("(A B)'", 0b01110111),
        ("!(A | B)", 0b00010001),
        ("1", 0b11111111),
        ("0 | C", 0b11110000),
    ],
)
def test_operators_and_what_binds_more(function: str, table: int) -> None:
    assert truth_table(function, NAMES) == table


def python_of(tree: object) -> tuple[str, str]:
    """An expression as Liberty and as Python write it."""
    if isinstance(tree, str):
        return tree, tree
    if isinstance(tree, list):
        liberty, python = python_of(tree[0])
        return f"!({liberty})", f"(not ({python}))"
    assert isinstance(tree, tuple)
    operator, left, right = tree
    (liberty_left, python_left), (liberty_right, python_right) = map(python_of, (left, right))
    written = {"and": " ", "or": "+", "!=": "^"}[operator]
    return (
        f"({liberty_left}){written}({liberty_right})",
        f"(({python_left}) {operator} ({python_right}))",
    )


def test_verilog() -> None:
    written = verilog_expression("(!((A B)+C'))^1", ("A", "B", "C"))
    assert written == "(~((A & B) | ~C) ^ 1'b1)"


TREES = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=1)
        | st.tuples(st.sampled_from(["and", "or", "!="]), inner, inner)
    ),
    max_leaves=12,
)


@given(TREES)
def test_any_expression(tree: object) -> None:
    liberty, python = python_of(tree)
    table = truth_table(liberty, NAMES)
    for row in range(8):
        values = {name: bool(row >> place & 1) for place, name in enumerate(NAMES)}
        assert bool(table >> row & 1) == bool(eval(python, {}, values))


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("A ? B", "'? B' is no operator"),
        ("(A B", "a ')' is missing"),
        ("A D", "'D' is unexpected"),
        ("A +", "'' is no input"),
        ("A )", "')' is unexpected"),
    ],
)
def test_what_is_no_function(function: str, why: str) -> None:
    with pytest.raises(UserError) as error:
        truth_table(function, NAMES)
    assert str(error.value) == f'cannot read the Liberty function "{function}": {why}'
