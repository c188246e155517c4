"""Every requantization mode: its page's table, and its kernels against its reference."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic import _jit, _kernels_requantization, reference
from hwsim.arithmetic.convolution import KERNELS, ConvolutionKernel, convolve, pack_convolution
from hwsim.arithmetic.elementwise import add_requantize, requantize_codes
from hwsim.arithmetic.reference import requantization_modes as references_of_modes
from hwsim.arithmetic.requantization_modes import RECIPES
from quant.common.requantization import Requantization
from quant.common.requantization_modes import MODES
from quant.common.rescaling import float32_bits
from tests.unit.arithmetic.operator_pages import PAGES, table
from tests.unit.arithmetic.strategies import mode_scalings

FAR = 2**21
PRIMITIVES = ("floor", "ceil", "trunc_zero", "half_up", "half_down", "half_away", "half_even")
INTEGER_COLUMNS = ("sum", "multiplier", "shift", "exact quotient")
EXTRA_COLUMNS = {
    "tflite_double": ("after the first rounding",),
    "tflite_neon": ("after the first rounding",),
    "tflite_s64": ("reduced multiplier",),
}

by_mode = pytest.mark.parametrize("mode", MODES)


def _codes(total: int, scaling: Requantization) -> list[int]:
    """What the reference and the kernel make of one sum, given as a bias where it is wide."""
    by_reference = reference.requantize([total], scaling)
    by_kernel = requantize_codes(np.zeros(1, np.int32), np.array([total]), scaling)
    return [int(by_reference[0]), int(by_kernel[0])]


def _scaling(
    mode: str, multiplier: int, shift: int, zero_point: int = 0, destination_scale: int = 0
) -> Requantization:
    far = FAR if MODES[mode].is_float else 2**31 - 1
    return Requantization(
        np.array([multiplier]), np.array([shift]), zero_point, -far, far, mode, destination_scale
    )


def test_every_mode_has_a_page_a_reference_and_a_recipe() -> None:
    pages = {page.stem for page in (PAGES / "requantization").iterdir()}
    assert pages == set(MODES) - set(PRIMITIVES) | {"primitive"}
    assert set(RECIPES) == set(MODES)
    references = set(references_of_modes.ROUNDED) | set(references_of_modes.FLOAT)
    assert references == set(MODES)
    assert set(references_of_modes.FLOAT) == {m for m in MODES if MODES[m].is_float}


@pytest.mark.parametrize("row", table("requantization/primitive", *INTEGER_COLUMNS, *PRIMITIVES))
def test_table_of_primitive_roundings(row: tuple[str, ...]) -> None:
    total, multiplier, shift = (int(cell) for cell in row[:3])
    assert Fraction(row[3]) == Fraction(total * multiplier, 2**shift)
    for mode, code in zip(PRIMITIVES, row[4:], strict=True):
        assert _codes(total, _scaling(mode, multiplier, shift)) == [int(code)] * 2


@pytest.mark.parametrize(
    "mode", ["tflite_double", "tflite_single", "tflite_neon", "tflite_s64", "nvdla", "dyadic"]
)
def test_tables_of_integer_engines(mode: str) -> None:
    columns = (*INTEGER_COLUMNS, *EXTRA_COLUMNS.get(mode, ()), "code")
    rows = table(f"requantization/{mode}", *columns)
    assert any(row[3] == "-0.5" for row in rows)
    for row in rows:
        total, multiplier, shift = (int(cell) for cell in row[:3])
        assert float(row[3]) == float(Fraction(total * multiplier, 2**shift))
        assert _codes(total, _scaling(mode, multiplier, shift)) == [int(row[-1])] * 2


def test_table_of_shift() -> None:
    for row in table("requantization/shift", "sum", "shift", "exact quotient", "code"):
        total, shift, code = int(row[0]), int(row[1]), int(row[3])
        assert Fraction(row[2]) == Fraction(total, 2**shift)
        assert _codes(total, _scaling("shift", 1, shift)) == [code] * 2


@pytest.mark.parametrize("mode", ["xnnpack", "onnxruntime", "qnnpack"])
def test_tables_of_one_float_scale(mode: str) -> None:
    rows = table(f"requantization/{mode}", "sum", "scale", "float32 product", "code")
    for total, scale, product, code in rows:
        assert np.float32(int(total)) * np.float32(scale) == np.float32(product)
        scaling = _scaling(mode, int(float32_bits(float(scale))[0]), 0)
        assert _codes(int(total), scaling) == [int(code)] * 2


def test_table_of_onednn() -> None:
    columns = ("sum", "scale", "destination scale", "zero_point", "float32 value", "code")
    for total, scale, destination, zero_point, _, code in table("requantization/onednn", *columns):
        bits = [int(float32_bits(float(value))[0]) for value in (scale, destination)]
        scaling = _scaling("onednn", bits[0], 0, int(zero_point), bits[1])
        assert _codes(int(total), scaling) == [int(code)] * 2


@pytest.mark.parametrize(
    "row",
    table(
        "requantize", "mode", "sum", "multiplier", "shift", "zero_point", "zero point last",
        "zero point first",
    ),
)  # fmt: skip
def test_table_of_orders(row: tuple[str, ...]) -> None:
    total, multiplier, shift, zero_point, last, first = (int(cell) for cell in row[1:])
    scaling = _scaling(row[0], multiplier, shift, zero_point)
    assert _codes(total, scaling) == [last] * 2
    assert _codes(total, replace(scaling, zero_point_first=True)) == [first] * 2


@given(
    mode=st.sampled_from(PRIMITIVES),
    total=st.integers(-(2**20), 2**20),
    shift=st.integers(0, 24),
    limits=st.tuples(st.integers(-300, 300), st.integers(-300, 300)),
)
def test_clamping_before_rounding_gives_the_same_codes(
    mode: str, total: int, shift: int, limits: tuple[int, int]
) -> None:
    """What `docs/operators/requantize.md` proves."""
    low, high = sorted(limits)
    scaling = Requantization(np.array([1]), np.array([shift]), 0, low, high, mode)
    within = min(max(total, low << shift), high << shift)
    assert reference.requantize([total], scaling) == reference.requantize([within], scaling)


@st.composite
def sums(draw: st.DrawFn, mode: str, scaling: Requantization, channels: int) -> NDArray[np.int64]:
    """Sums of 32 bits or what the mode takes: even draws, extremes, and halves where there are."""
    largest = min(2**31 - 1, 2**62 // max(1, _largest_factor(mode, scaling)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reach = draw(st.integers(1, largest))
    values = random.integers(-reach, reach, (5, channels), endpoint=True)
    if draw(st.booleans()):
        values[0] = random.choice([-largest, largest, 0, -1, 1], channels)
    if not MODES[mode].is_float:  # halves of the quotient, where 2^(shift-1) fits
        halves = (1 << np.minimum(scaling.shift, 31)) >> 1
        values[1] = np.clip(halves * random.choice([-3, -1, 1, 3], channels), -largest, largest)
    return values


def _largest_factor(mode: str, scaling: Requantization) -> int:
    return min(int(np.abs(scaling.multiplier).max()), 2 ** MODES[mode].factor_bits - 1)


@by_mode
@settings(max_examples=60, deadline=None)
@given(data=st.data(), channels=st.integers(1, 19))
def test_kernels_equal_the_reference(mode: str, data: st.DataObject, channels: int) -> None:
    scaling = data.draw(mode_scalings(mode, channels))
    values = data.draw(sums(mode, scaling, channels))
    expected = reference.requantize(values, scaling)
    codes = values.astype(np.int32)
    zero, one = np.zeros(1, np.int64), (1, 0)
    found = requantize_codes(codes, zero, scaling)
    assert (found == expected).all()
    assert (add_requantize(codes, codes, one, 0, scaling) == expected).all()


@by_mode
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_convolutions_equal_the_reference(
    mode: str, kernel: ConvolutionKernel, data: st.DataObject
) -> None:
    outputs = data.draw(st.integers(1, 20))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    weight = random.integers(-128, 128, (outputs, 3, 2, 5), np.int32)
    ifm = random.integers(-128, 128, (5, 9, 5), np.int32)
    bias = random.integers(-(2**20), 2**20, outputs)
    scaling = data.draw(mode_scalings(mode, outputs, largest_sum=2**21))
    packed = pack_convolution(weight, bias, scaling, -128, 127, kernels=[kernel])
    total = reference.convolve(ifm, weight, bias)
    expected = reference.requantize(total, scaling)
    assert (convolve(packed, ifm) == expected).all()


@by_mode
@given(data=st.data())
def test_modes_are_monotone_and_saturate(mode: str, data: st.DataObject) -> None:
    if mode == "tflite_double" or mode == "tflite_neon":
        scaling = data.draw(mode_scalings(mode, 1, least_shift=31))  # below, sums may wrap
    else:
        scaling = data.draw(mode_scalings(mode, 1))
    scaling = replace(scaling, multiplier=np.abs(scaling.multiplier))
    values = np.sort(data.draw(sums(mode, scaling, 9)).reshape(-1, 1), axis=0)
    codes = reference.requantize(values, scaling)
    assert (np.diff(codes[:, 0]) >= 0).all()
    assert scaling.low <= codes.min() <= codes.max() <= scaling.high


ONE = np.ones(1, np.int64)
CODES = np.full((1, 1), 1 << 20, np.int32)


@pytest.mark.parametrize(
    ("mode", "changes", "message"),
    [
        ("half_evil", {}, "no requantization mode 'half_evil'; choose one of floor, ceil"),
        ("tflite_double", {"shift": ONE * 0}, r"shifts 0 … 0 must lie in 1 … 62 \(tflite_double\)"),
        ("tflite_s64", {"shift": ONE * 23}, "shifts 23 … 23 must lie in 24 … 62"),
        (
            "nvdla",
            {"multiplier": ONE << 15},
            "multipliers 32768 … 32768 must lie in -32768 … 32767",
        ),
        ("shift", {"multiplier": ONE * 2}, "multipliers 2 … 2 must lie in 1 … 1"),
        ("xnnpack", {"multiplier": ONE * 0x7F800000}, "must lie in 0 … 2139095039"),
        ("xnnpack", {"high": 2**22 + 1}, "xnnpack rounds codes of up to 4194304 in magnitude"),
        (
            "onednn",
            {},
            "a positive float32 destination scale is part of onednn; given the bit .* 0",
        ),
        ("half_up", {"destination_scale": 7}, "no positive float32 destination scale"),
        (
            "tflite_double",
            {"bias": ONE << 31},
            r"sums can reach 2148532224, but tflite_double takes sums of 32 bits with sign",
        ),
    ],
)
def test_limits_of_modes(mode: str, changes: dict[str, Any], message: str) -> None:
    shift = ONE * (24 if mode == "tflite_s64" else 0 if mode in ("xnnpack", "onednn") else 1)
    bias = changes.pop("bias", ONE * 0)
    plain = Requantization(ONE, shift, 0, -9, 9, mode)
    with pytest.raises(ValueError, match=message):
        requantize_codes(CODES, bias, replace(plain, **changes))


def test_stored_machine_code_is_stamped_with_every_file_of_the_package() -> None:
    stamp = _jit._package_stamp()
    assert "_kernels_requantization.py" in [name for name, _, _ in stamp]
    cache = _kernels_requantization.requantize._cache  # type: ignore[attr-defined]
    assert cache._cache_file._source_stamp == stamp


CHECK_WITHOUT_COMPILER = """
import numpy as np
from hwsim.arithmetic.activation import lookup_table
codes, table = np.array([[[-3, 2]]], np.int32), np.array([[5, 6, 7, 8, 9, 10]], np.int32)
assert lookup_table(codes, table, -3).tolist() == [[[5, 10]]]
"""


def test_kernels_written_in_python_run_without_the_compiler() -> None:
    """As coverage tools need it: NUMBA_DISABLE_JIT leaves plain Python.

    What is emitted as vector code (requantization, convolution tiles, packing) needs the compiler.
    """
    environment = {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", CHECK_WITHOUT_COMPILER]
    subprocess.run(command, env=environment, check=True, timeout=120)
