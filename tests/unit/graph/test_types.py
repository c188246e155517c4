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
    ],
)
def test_each_type_has_its_range(text: str, low: int, high: int, magnitude: int) -> None:
    integer = IntegerType.parse(text)
    assert (integer.low, integer.high, integer.magnitude) == (low, high, magnitude)


@pytest.mark.parametrize("kind", CodeKind)
@pytest.mark.parametrize("bits", range(1, 17))
def test_the_spelling_is_read_back(bits: int, kind: CodeKind) -> None:
    integer = IntegerType(bits, kind)
    assert IntegerType.parse(str(integer)) == integer


@pytest.mark.parametrize("text", ["", "8", "u", "x8", "u8 ", "U8", "u-8", "u٨", "s" + "9" * 5000])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"expected s, u or o and a width such as 'u8'"):
        IntegerType.parse(text)


@pytest.mark.parametrize("bits", [-1, 0, 17])
def test_widths_outside_1_to_16_are_refused(bits: int) -> None:
    with pytest.raises(UserError, match=f"^bit-width: expected 1 to 16 bits, given {bits}; choose"):
        IntegerType(bits)


def test_a_tensor_type_is_shown_as_channels_and_integers() -> None:
    assert str(TensorType(64, IntegerType.parse("s12"), Encoding(0.5))) == "64×s12"
