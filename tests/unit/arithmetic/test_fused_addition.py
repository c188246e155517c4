"""The float32 addition's kernel against the reference and its page, and what it refuses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from hwsim.arithmetic import reference
from hwsim.arithmetic._kernels_fused_addition import emulated_fma, fma
from hwsim.arithmetic.fused_addition import add_fused
from quant.common.add_rescaling import onnx_add
from quant.common.float32 import fused_multiply_add
from quant.common.requantization import FusedTerms
from quant.common.requantization_modes import LARGEST_RATIO
from quant.common.rescaling import float32_bits
from tests.unit.arithmetic.operator_pages import table
from tests.unit.arithmetic.strategies import code_arrays, formats

MAP = np.full((2, 3), 100, np.int32)
shapes = st.lists(st.integers(1, 7), min_size=1, max_size=3).map(tuple)
ratios = st.one_of(st.floats(0, 2.0**32, width=32), st.integers(-9, 9).map(lambda e: 2.0**e))
addends = st.floats(-(2.0**32), 2.0**32, width=32)


def _bits(value: float) -> int:
    return int(float32_bits(value)[0])


@settings(max_examples=100, deadline=None)
@given(data=st.data(), shape=shapes, pair=st.tuples(ratios, ratios), addend=addends)
def test_the_kernel_equals_the_reference(
    data: st.DataObject, shape: tuple[int, ...], pair: tuple[float, float], addend: float
) -> None:
    operands = tuple(data.draw(code_arrays(data.draw(formats()), shape)) for _ in range(2))
    given = (_bits(pair[0]), _bits(pair[1])), FusedTerms(_bits(addend)), -(2**15), 2**15 - 1
    expected = reference.add_fused(*operands, *given)
    assert (add_fused(*operands, *given) == expected).all()


@pytest.mark.parametrize(
    "row",
    table("add", "first", "second", "ratios", "addend", "float32 sum", "low", "high", "code"),
)
def test_the_table_of_the_page(row: tuple[str, ...]) -> None:
    operands = np.array([int(row[0])], np.int32), np.array([int(row[1])], np.int32)
    first, second = (_bits(float(ratio)) for ratio in row[2].split())
    low, high, code = (int(cell) for cell in row[5:])
    given = (first, second), FusedTerms(_bits(float(row[3]))), low, high
    assert reference.add_fused(*operands, *given).tolist() == [code]
    assert add_fused(*operands, *given).tolist() == [code]


def test_processors_without_the_instruction_compute_the_same() -> None:
    """Whichever of the two this target does not use is otherwise never run."""
    generator = np.random.default_rng(5)
    codes = generator.integers(-(2**24), 2**24, 4000).astype(np.float32)
    factors, addends = (
        (generator.integers(-(2**24), 2**24, 4000) * 2.0**exponents).astype(np.float32)
        for exponents in generator.integers(-40, 8, (2, 4000))
    )
    expected = fused_multiply_add(codes, factors, addends)
    triples = [*zip(codes, factors, addends, strict=True)]
    of_this_target = njit(lambda code, ratio, addend: fma(code, ratio, addend))
    for multiply_add in (emulated_fma, of_this_target):
        assert [multiply_add(*triple) for triple in triples] == expected.tolist()


def test_the_order_of_operands_matters() -> None:
    """Else the page would not have to state it."""
    codes = np.arange(-128, 128)
    first, second = np.repeat(codes, 256), np.tile(codes, 256)
    one = onnx_add((0.05, 0.06), (58, 33), 0.096, 11)
    other = onnx_add((0.06, 0.05), (33, 58), 0.096, 11)
    forth = reference.add_fused(first, second, one.ratios, FusedTerms(one.addend), -128, 127)
    back = reference.add_fused(second, first, other.ratios, FusedTerms(other.addend), -128, 127)
    assert np.count_nonzero(forth != back) == 336


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"second": MAP[:1]}, r"int32 \[2, 3\] and int32 \[1, 3\]; expected integers"),
        ({"first": MAP.astype(np.int64)}, r"int64 \[2, 3\] and int32 .* of up to 32 bits"),
        ({"ratios": (LARGEST_RATIO + 1, 0)}, "expected float32 ratios of 0 to 2\\^32"),
        ({"ratios": (-1, 0)}, "expected float32 ratios of 0 to 2\\^32"),
        ({"terms": FusedTerms(-1)}, "an addend of at most that magnitude"),
        ({"low": 3, "high": 2}, "the clamp 3 … 2 must be an interval"),
    ],
)
def test_what_cannot_be_added(change: dict[str, Any], message: str) -> None:
    plain = {
        "first": MAP, "second": MAP, "ratios": (1, 1), "terms": FusedTerms(0), "low": 0, "high": 9
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        add_fused(**(plain | change))
