import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.verify.rtl.words import pack, pack_fields, unpack, word_count, words_of
from tests.property.effort import effort


@effort(60)
@given(
    st.integers(1, 64), st.integers(0, 5), st.integers(1, 9), st.booleans(), st.integers(0, 2**32)
)
def test_integers_come_back(bits: int, items: int, elements: int, signed: bool, seed: int) -> None:
    low = -(1 << (bits - 1)) if signed else 0
    high = (1 << (bits - 1)) - 1 if signed or bits == 64 else (1 << bits) - 1
    random = np.random.default_rng(seed)
    integers = random.integers(low, high, (items, elements), endpoint=True)
    words = pack(integers, bits)
    assert words.shape == (items, word_count(bits * elements))
    np.testing.assert_array_equal(unpack(words, bits, elements, is_signed=signed), integers)


@effort(60)
@given(st.integers(1, 64), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6))
def test_element_zero_has_the_lowest_bits(bits: int, values: list[int]) -> None:
    """Against Python's integers, which have no words."""
    codes = [value & ((1 << bits) - 1) for value in values]
    whole = sum(code << (bits * place) for place, code in enumerate(codes))
    signed = [code - (1 << bits if code >> (bits - 1) else 0) for code in codes]
    found = pack(np.array([signed], np.int64), bits)[0]
    np.testing.assert_array_equal(found, words_of(whole, bits * len(codes)))


def test_a_row_of_elements_may_be_empty() -> None:
    assert pack(np.zeros((0, 4), np.int64), 9).shape == (0, 2)
    assert pack(np.zeros(3, np.int64), 9).shape == (3, 1)


@effort(40)
@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.lists(st.integers(0, 2**40 - 1), min_size=2, max_size=2)),
        min_size=1,
        max_size=5,
    )
)
def test_fields_lie_behind_each_other(fields: list[tuple[int, list[int]]]) -> None:
    whole, place, arrays = 0, 0, []
    for bits, values in fields:
        codes = [value & ((1 << bits) - 1) for value in values]
        arrays.append((np.array([codes], np.int64), bits))
        for code in codes:
            whole |= code << place
            place += bits
    np.testing.assert_array_equal(pack_fields(arrays)[0], words_of(whole, place))


@pytest.mark.parametrize(("value", "bits"), [(16, 4), (-9, 4), (2**31, 31), (-(2**40), 33)])
def test_an_integer_that_does_not_fit_is_refused(value: int, bits: int) -> None:
    low, high = -(2 ** (bits - 1)), 2**bits - 1
    with pytest.raises(ValueError, match=rf"^{value} lies outside {low} to {high}$"):
        pack(np.array([[0, value]]), bits)
