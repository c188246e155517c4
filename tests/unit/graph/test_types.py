import numpy as np
import pytest

from quant.common.codes import CodeKind
from quant.common.errors import UserError
from quant.graph import Encoding, IntegerType, TensorType


@pytest.mark.parametrize(
    ("text", "low", "high", "magnitude"),
    [
        ("u1", 0, 1, 1),
        ("s1", -1, 0, 1),
        ("o1", -1, 1, 1),
        ("u8", 0, 255, 255),
        ("s8", -128, 127, 128),
        ("o2", -3, 3, 3),
        ("o8", -255, 255, 255),
        ("u16", 0, 65535, 65535),
        ("s16", -32768, 32767, 32768),
        ("o16", -65535, 65535, 65535),
        ("t2(-9,0,4)", -9, 4, 9),
        ("s40", -(2**39), 2**39 - 1, 2**39),
    ],
)
def test_each_type_has_its_range(text: str, low: int, high: int, magnitude: int) -> None:
    integer = IntegerType.parse(text)
    assert (integer.low, integer.high, integer.magnitude) == (low, high, magnitude)


@pytest.mark.parametrize("kind", [CodeKind.SIGNED, CodeKind.UNSIGNED, CodeKind.ODD])
@pytest.mark.parametrize("bits", range(1, 17))
def test_the_spelling_is_read_back(bits: int, kind: CodeKind) -> None:
    integer = IntegerType(bits, kind)
    assert IntegerType.parse(str(integer)) == integer


@pytest.mark.parametrize("text", ["t1(-7,7)", "t3(-4,-2,-1,0,1,2,4)", "t16(5)"])
def test_the_spelling_of_tables_is_read_back(text: str) -> None:
    assert str(IntegerType.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "member", "stranger"),
    [("u2", 3, 4), ("s2", -2, 2), ("o2", -1, 0), ("t2(-9,0,4)", 4, 3)],
)
def test_each_type_knows_its_members(text: str, member: int, stranger: int) -> None:
    integer = IntegerType.parse(text)
    assert integer.contains(np.array([integer.low, member, integer.high]))
    assert not integer.contains(np.array([member, stranger]))


@pytest.mark.parametrize("text", ["t1(1,2,3)", "t2(3,1)", "t2(1,1)"])
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"expected at most \d different integers, ascending, for"):
        IntegerType.parse(text)


def test_a_table_has_values_and_nothing_else_has() -> None:
    for kind, values in ((CodeKind.TABLE, ()), (CodeKind.SIGNED, (1, 2))):
        with pytest.raises(UserError, match="expected values for a table and for no other kind"):
            IntegerType(2, kind, values)


@pytest.mark.parametrize(
    "text",
    [
        "t2()",
        "t2(1,)",
        "t2(1;2)",
        "t(1,2)",
        "",
        "8",
        "u",
        "x8",
        "u8 ",
        "U8",
        "u-8",
        "u٨",
        "s" + "9" * 5000,
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"expected s, u or o and a width such as 'u8'"):
        IntegerType.parse(text)


@pytest.mark.parametrize("bits", [-1, 0, 17])
def test_widths_outside_1_to_16_are_refused(bits: int) -> None:
    with pytest.raises(UserError, match=f"^bit-width: expected 1 to 16 bits, given {bits}; choose"):
        IntegerType(bits)


def test_a_tensor_type_is_shown_as_channels_and_integers() -> None:
    assert str(TensorType(64, IntegerType.parse("s12"), Encoding(0.5))) == "64×s12"
