"""Words of ``$readmemh``: written, read back, and refused with the line's number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.verify.hex_words import format_words, parse_words
from quant.common.errors import UserError
from quant.graph import IntegerType

S6, S8, U8, S16 = (IntegerType.parse(text) for text in ("s6", "s8", "u8", "s16"))


@given(
    integer=st.sampled_from(("s1", "u1", "s3", "s6", "u7", "s8", "u8", "s12", "s16", "u16")),
    data=st.data(),
)
def test_what_is_written_is_read_back(integer: str, data: st.DataObject) -> None:
    kind = IntegerType.parse(integer)
    values = data.draw(st.lists(st.integers(kind.low, kind.high), min_size=1, max_size=9))
    text = format_words(np.array(values, np.int32), kind)
    assert {len(line) for line in text.split()} == {-(-kind.bits // 4)}
    assert parse_words(text, kind, len(values), "file").tolist() == values


@pytest.mark.parametrize(
    ("integer", "text", "values"),
    [
        (S8, "7f 80 ff\n00", [127, -128, -1, 0]),
        (U8, "7f 80 ff", [127, 128, 255]),
        (S6, "1f 20 3f", [31, -32, -1]),
        (S6, "ff e0 fffff", [-1, -32, -1]),  # extended with their sign
        (S16, "8000 7_f_f_f FFFF", [-32768, 32767, -1]),
        (U8, "// two\n@1 02\n/* and\none */ @0 01", [1, 2]),
        (U8, "@00 1 @0 2", [2]),  # the later one counts
    ],
)
def test_words_as_readmemh_takes_them(integer: IntegerType, text: str, values: list[int]) -> None:
    assert parse_words(text, integer, len(values), "file").tolist() == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "00\n01\n0g\n",
            "f.hex, line 3: expected a hexadecimal word such as 3f, found '0g'; correct it (x and "
            "z are unknown bits of the circuit)",
        ),
        (
            "/* a\nb */ xx",
            "f.hex, line 2: expected a hexadecimal word such as 3f, found 'xx'; correct it (x and "
            "z are unknown bits of the circuit)",
        ),
        (
            "00 // fine\n@z0 11",
            "f.hex, line 2: expected an address such as 3f, found 'z0'; correct it (x and z are "
            "unknown bits of the circuit)",
        ),
        (
            "17f",
            "f.hex, line 1: expected a word of 8 bits (s8), found '17f'; correct it",
        ),
        (
            "00 01\n02 03\n04",
            "f.hex, line 3: expected 4 words, found one at address 4; give the tensor of this "
            "network and image",
        ),
        (
            "00 01\n@3 02",
            "f.hex: expected 4 words, found none for address 2; give all of the tensor",
        ),
    ],
)
def test_what_is_no_such_text(text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_words(text, S8, 4, "f.hex")
    assert str(raised.value) == message
