"""Stepped arrays of every kind: integers of NumPy, cycles of the closed form."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from accelerators import load_accelerator
from accelerators.datapaths.kinds import DATAPATHS, datapath_of
from accelerators.datapaths.shift_add import code_terms
from accelerators.schema import Array
from hwsim.verify.stepped import Product, run_stepped
from tests.property.effort import effort

SRAM = load_accelerator("tiny_npu").sram
STATIONARY = ("weight_stationary", "input_stationary", "composable")
Wide = NDArray[np.int64]


@st.composite
def arrays(draw: st.DrawFn, kind: str) -> Array:
    """Small arrays of a kind, with everything that its formulas depend on."""
    powers = (2, 4, 8) if kind == "composable" else (1, 2, 3, 5, 8)
    small = st.integers(1, 5)
    changes = {
        "rows": draw(small),
        "columns": draw(small),
        "weight_bits": draw(st.sampled_from(powers)),
        "activation_bits": draw(st.sampled_from(powers)),
        "kernel_taps": draw(st.sampled_from(("together", "apart"))),
    }
    if kind in STATIONARY:
        changes["accumulator_entries"] = draw(st.integers(1, 9))
    else:
        changes["lanes"] = draw(st.integers(1, 3))
    if kind == "weight_serial":
        changes["lanes_at_one_bit"] = draw(st.integers(0, 4))
    return Array.model_validate({**changes, "dataflow": kind, "accumulator_bits": 64})


@st.composite
def products(draw: st.DrawFn) -> Product:
    """Random operands of random widths, extremes among them, and a requantization."""
    sizes = st.integers(1, 9)
    pixels, channels, inputs = draw(sizes), draw(sizes), draw(sizes)
    taps = draw(st.sampled_from((1, 2, 4)))
    weight_bits, activation_bits = draw(st.integers(1, 16)), draw(st.integers(1, 16))
    is_signed = draw(st.booleans())
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    activations = codes(random, activation_bits, is_signed, (pixels, taps * inputs))
    weights = codes(random, weight_bits, True, (taps * inputs, channels))
    scales = np.stack(
        [
            random.integers(-1000, 1000, channels),
            random.integers(1, 64, channels),
            random.integers(0, 12, channels),
            random.integers(-9, 9, channels),
            random.integers(-(2**40), -(2**20), channels),
            random.integers(2**20, 2**40, channels),
        ],
        axis=1,
    )
    return Product(activations, weights, taps, weight_bits, activation_bits, is_signed, scales)


def codes(random: np.random.Generator, bits: int, is_signed: bool, shape: tuple[int, int]) -> Wide:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    values = random.integers(low, high, shape, np.int64, endpoint=True)
    extremes = random.choice(np.array([low, high]), shape)
    return np.where(random.random(shape) < 0.2, extremes, values)


def expected(product: Product) -> Wide:
    """The codes, in three lines of NumPy."""
    bias, multiplier, shift, zero, low, high = product.scales.T
    scaled = (product.activations @ product.weights + bias) * multiplier
    return np.clip((scaled + ((1 << shift) >> 1) >> shift) + zero, low, high)


@pytest.mark.parametrize("kind", DATAPATHS)
def test_integers_and_cycles_of_every_kind(kind: str) -> None:
    @effort(150)
    @given(arrays(kind), products())
    def check(array: Array, product: Product) -> None:
        stepped = run_stepped(array, product)
        np.testing.assert_array_equal(stepped.codes, expected(product))
        assert stepped.cycles == datapath_of(array).cycles(product.work, SRAM)

    check()


def simple(kind: str, **changes: int) -> Array:
    sizes = {"rows": 4, "columns": 3, "weight_bits": 8, "activation_bits": 8}
    return Array.model_validate({**sizes, "dataflow": kind, "accumulator_bits": 32, **changes})


def ones(pixels: int, reduction: int, channels: int, weights: Wide | None = None) -> Product:
    """A product of ones, or of weights given, whose sums leave as they are."""
    scale = np.array([0, 1, 0, 0, -(2**40), 2**40])
    return Product(
        np.ones((pixels, reduction), np.int64),
        np.ones((reduction, channels), np.int64) if weights is None else weights,
        1,
        8,
        8,
        True,
        np.tile(scale, (channels, 1)),
    )


def test_a_shift_and_add_array_that_is_told_too_few_terms_refuses() -> None:
    weights = np.array([[1, 64, -96], [7, 0, 2]])
    assert code_terms(weights.ravel().tolist()) == 2
    product = ones(2, 2, 3, weights)
    told = replace(product, weight_terms=2)
    stepped = run_stepped(simple("shift_add"), told)
    assert stepped.codes.tolist() == [[8, 64, -94]] * 2
    few = replace(product, weight_terms=1)
    with pytest.raises(ValueError, match=r"^an integer has more than 1 terms$"):
        run_stepped(simple("shift_add"), few)


def test_streams_shorter_than_a_load_wait_for_it() -> None:
    # 2 pixels past 4 rows: the loads of 3 folds take longer than their streams.
    array = simple("weight_stationary")
    assert run_stepped(array, ones(2, 12, 3)).cycles == 4 + 2 * 4 + 2 + (4 + 3 - 2) + 3
    assert run_stepped(array, ones(9, 12, 3)).cycles == 4 + 2 * 9 + 9 + (4 + 3 - 2) + 3
