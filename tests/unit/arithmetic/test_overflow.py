"""Accumulators of every width and overflow: fast paths against the reference, and the bound."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic import overflow as overflow_module
from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import DENSE, Geometry
from hwsim.arithmetic.overflow import convolve_bounded, pack_bounded_convolution
from hwsim.arithmetic.overflows import Overflows
from hwsim.arithmetic.packing import CodeFormat, code_format
from quant.common.accumulators import LEAST_BITS, MOST_BITS, OVERFLOWS, Accumulator, sum_bounds
from quant.common.codes import CodeKind
from quant.common.requantization import Requantization
from tests.unit.arithmetic.operator_pages import integers, table
from tests.unit.arithmetic.strategies import code_arrays, formats, generators, geometries, scalings

FAR = 2**31 - 1


def _unscaled(shift: int = 0) -> Requantization:
    return Requantization(np.ones(1, np.int64), np.array([shift]), 0, -FAR - 1, FAR)


@dataclass(frozen=True, slots=True)
class Case:
    ifm: NDArray[np.int32]
    input: CodeFormat
    weight: NDArray[np.int32]
    bias: NDArray[np.int64]
    scaling: Requantization
    accumulator: Accumulator
    geometry: Geometry = DENSE

    def by_reference(self) -> tuple[NDArray[np.int64], Overflows]:
        sums, overflows = reference.accumulate(
            self.ifm, self.weight, self.bias, self.accumulator, self.geometry
        )
        return reference.requantize(sums, self.scaling), overflows

    def by_kernels(self, threads: int | None = None) -> tuple[NDArray[np.int32], Overflows]:
        packed = pack_bounded_convolution(
            self.weight,
            self.bias,
            self.scaling,
            self.input.low,
            self.input.high,
            self.accumulator,
            self.geometry,
        )
        return convolve_bounded(packed, self.ifm, threads)


@st.composite
def cases(draw: st.DrawFn, maximum_bits: int = 16) -> Case:
    """Widths near those that the sums need, most often a little less."""
    geometry = draw(geometries())
    inputs = draw(st.integers(1, 9 // geometry.groups)) * geometry.groups
    outputs = draw(st.integers(1, 20 // geometry.groups)) * geometry.groups
    kernel = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    window = geometry.window(kernel)
    height = draw(st.integers(window[0], window[0] + 2 * geometry.stride[0]))
    width = draw(st.integers(window[1], window[1] + 4 * geometry.stride[1]))
    code, weights = draw(formats(maximum_bits)), draw(formats(maximum_bits))
    ifm = draw(code_arrays(code, (height, width, inputs)))
    weight = draw(code_arrays(weights, (outputs, *kernel, inputs // geometry.groups)))
    bias_bits = draw(st.integers(0, 2 * maximum_bits))
    bias = draw(generators).integers(-(2**bias_bits), 2**bias_bits, outputs)
    sums = reference.convolve(ifm, weight, bias, geometry)
    needed = max(int(np.abs(sums).max()), 1).bit_length() + 1
    bits = min(max(needed - draw(st.integers(-2, 8)), LEAST_BITS), MOST_BITS)
    accumulator = Accumulator(bits, draw(st.sampled_from(sorted(OVERFLOWS))))
    scaling = draw(scalings(outputs, -accumulator.low))
    return Case(ifm, code, weight, bias, scaling, accumulator, geometry)


@settings(max_examples=150, deadline=None)
@given(case=cases())
def test_kernels_equal_the_reference_and_count_the_same(case: Case) -> None:
    codes, overflows = case.by_kernels()
    expected, expected_overflows = case.by_reference()
    assert (codes == expected).all()
    assert overflows == expected_overflows


@pytest.mark.parametrize("overflow", OVERFLOWS)
@pytest.mark.parametrize("bits", range(LEAST_BITS, MOST_BITS + 1))
def test_every_width_overflows_as_the_reference(bits: int, overflow: str) -> None:
    """Sums of 16-bit products are brought near the end of the range by the bias."""
    random = np.random.default_rng(bits)
    accumulator = Accumulator(bits, overflow)
    ifm = random.integers(-(2**15), 2**15, (5, 6, 7), np.int32)
    weight = random.integers(-(2**15), 2**15, (9, 2, 3, 7), np.int32)
    bias = random.choice([accumulator.low, accumulator.high], 9)
    case = Case(
        ifm, code_format(16, CodeKind.SIGNED), weight, bias,
        _unscaled(max(0, bits - 32)), accumulator,
    )  # fmt: skip
    codes, overflows = case.by_kernels()
    expected, expected_overflows = case.by_reference()
    assert overflows.count > 0
    assert (codes == expected).all()
    assert overflows == expected_overflows


@pytest.mark.parametrize(
    "row",
    table(
        "accumulators", "bits", "codes", "weights", "bias", "exact sums", "wrap",
        "saturate_final", "saturate_step",
    ),
)  # fmt: skip
def test_worked_examples(row: tuple[str, ...]) -> None:
    bits, codes, taps, bias, exact, *ends = (integers(cell) for cell in row)
    partial = np.cumsum([*bias, *(np.array(codes) * taps)])
    assert partial.tolist() == exact
    ends = [*ends, ends[2]]
    names = ("wrap", "saturate_final", "saturate_step", "error")
    for overflow, (end,) in zip(names, ends, strict=True):
        accumulator = Accumulator(bits[0], overflow)
        minded = exact if accumulator.minds_every_step else exact[-1:]
        outside = [total for total in minded if not accumulator.low <= total <= accumulator.high]
        expected = Overflows(1, (0, 0, 0), outside[0]) if outside else Overflows()
        case = Case(
            np.array(codes, np.int32).reshape(1, 1, -1),
            code_format(8, CodeKind.SIGNED),
            np.array(taps, np.int32).reshape(1, 1, 1, -1),
            np.array(bias),
            _unscaled(),
            accumulator,
        )
        for found, overflows in (case.by_reference(), case.by_kernels()):
            assert found.item() == end
            assert overflows == expected


def test_only_stepping_minds_the_order() -> None:
    """The same products, the last two exchanged."""
    ends = {}
    for taps in ((1, 1, -1), (1, -1, 1)):
        for overflow in ("wrap", "saturate_final", "saturate_step"):
            case = Case(
                np.full((1, 1, 3), 100, np.int32),
                code_format(8, CodeKind.UNSIGNED),
                np.array(taps, np.int32).reshape(1, 1, 1, 3),
                np.zeros(1, np.int64),
                _unscaled(),
                Accumulator(8, overflow),
            )
            ends[overflow, taps] = case.by_kernels()[0].item()
            assert ends[overflow, taps] == case.by_reference()[0].item()
    assert ends["wrap", (1, 1, -1)] == ends["wrap", (1, -1, 1)] == 100
    assert ends["saturate_final", (1, 1, -1)] == ends["saturate_final", (1, -1, 1)] == 100
    assert (ends["saturate_step", (1, 1, -1)], ends["saturate_step", (1, -1, 1)]) == (27, 100)


@pytest.mark.parametrize("groups", [1, 5, 40])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("overflow", OVERFLOWS)
def test_groups_of_every_size(groups: int, outputs: int, overflow: str) -> None:
    """One and several input channels and outputs in each group; depthwise is a loop of its own."""
    random = np.random.default_rng(groups)
    for inputs in (1, 2):
        case = Case(
            random.integers(-128, 128, (6, 7, groups * inputs), np.int32),
            code_format(8, CodeKind.SIGNED),
            random.integers(-128, 128, (groups * outputs, 3, 2, inputs), np.int32),
            random.integers(-999, 999, groups * outputs),
            _unscaled(),
            Accumulator(15, overflow),
            Geometry((1, 2), (2, 1), groups),
        )
        codes, overflows = case.by_kernels()
        expected, expected_overflows = case.by_reference()
        assert (codes == expected).all()
        assert overflows == expected_overflows


def _needed_bits(least: NDArray[np.int64], greatest: NDArray[np.int64]) -> int:
    return max((-int(least.min()) - 1).bit_length(), int(greatest.max()).bit_length()) + 1


@settings(max_examples=100, deadline=None)
@given(case=cases(), overflow=st.sampled_from(sorted(OVERFLOWS)))
def test_the_bound_is_enough_and_a_bit_less_is_not(case: Case, overflow: str) -> None:
    """Of codes between those that occur, which may leave out 0 as a table's can."""
    low, high = int(case.ifm.min()), int(case.ifm.max())
    every_step = Accumulator(2, overflow).minds_every_step
    bounds = sum_bounds(case.weight, case.bias, low, high, every_step=every_step)
    needed = _needed_bits(*bounds)
    assume(LEAST_BITS < needed <= MOST_BITS)
    enough, scarce = Accumulator(needed, overflow), Accumulator(needed - 1, overflow)
    assert enough.always_holds(case.weight, case.bias, low, high)
    assert not scarce.always_holds(case.weight, case.bias, low, high)
    operands = case.weight, case.bias, enough, case.geometry
    assert reference.accumulate(case.ifm, *operands)[1] == Overflows()
    counts = {enough: 0, scarce: 0}
    for taps, bias in zip(case.weight, case.bias, strict=True):
        for worst in (np.where(taps > 0, high, low), np.where(taps > 0, low, high)):
            for accumulator in counts:
                _, overflows = reference.accumulate(worst, taps[np.newaxis], [bias], accumulator)
                counts[accumulator] += overflows.count
    assert counts[enough] == 0
    assert counts[scarce] > 0


def test_what_is_proved_runs_on_the_kernels_of_the_convolution() -> None:
    weight, bias = np.ones((4, 3, 3, 8), np.int32), np.zeros(4, np.int64)
    for overflow in OVERFLOWS:
        for bits, proved in ((15, False), (16, True)):  # 72 taps of 255 are 18360
            packed = pack_bounded_convolution(
                weight, bias, _unscaled(), 0, 255, Accumulator(bits, overflow)
            )
            assert (packed.proved is not None) == proved


def test_bands_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first overflow is the first of the whole map, whichever band ends first."""
    random = np.random.default_rng(5)
    for overflow in OVERFLOWS:
        case = Case(
            random.integers(0, 16, (23, 9, 4), np.int32),
            code_format(4, CodeKind.UNSIGNED),
            random.integers(-8, 8, (3, 3, 3, 4), np.int32),
            np.zeros(3, np.int64),
            _unscaled(),
            Accumulator(9, overflow),
            Geometry((2, 1), (2, 1)),
        )
        expected, overflows = case.by_reference()
        assert overflows.count > 1
        for sums_per_band in (1, 50, 2**18):
            monkeypatch.setattr(overflow_module, "SUMS_PER_BAND", sums_per_band)
            for threads in (1, 2):
                codes, found = case.by_kernels(threads)
                assert (codes == expected).all()
                assert found == overflows


@pytest.mark.parametrize("overflow", OVERFLOWS)
def test_codes_out_of_range_are_refused(overflow: str) -> None:
    weight, bias = np.full((1, 1, 1, 2), 7, np.int32), np.zeros(1, np.int64)
    packed = pack_bounded_convolution(weight, bias, _unscaled(), 0, 15, Accumulator(4, overflow))
    with pytest.raises(ValueError, match=r"codes 3 … 16 leave the 0 … 15 it was packed for"):
        convolve_bounded(packed, np.array([[[3, 16]]], np.int32))
    with pytest.raises(ValueError, match=r"expected int32 \[height, width, 2\]"):
        convolve_bounded(packed, np.zeros((1, 1, 3), np.int32))


def test_a_mode_too_narrow_for_the_accumulator_is_refused() -> None:
    weight, bias = np.ones((1, 1, 1, 1), np.int32), np.zeros(1, np.int64)
    scaling = Requantization(np.array([2**30]), np.array([31]), 0, 0, 255, "tflite_double")
    with pytest.raises(ValueError, match=r"tflite_double takes sums of 32 bits"):
        pack_bounded_convolution(weight, bias, scaling, 0, 255, Accumulator(33, "wrap"))


def test_overflows_of_parts_merge_to_those_of_the_whole() -> None:
    parts = [
        Overflows(2, (0, 1, 4), 300).moved(0, 8, 0),
        Overflows().moved(0, 0, 0),
        Overflows(3, (0, 2, 0), -400).moved(0, 0, 16),
    ]
    assert Overflows.merged(parts) == Overflows(5, (0, 2, 16), -400)
    assert Overflows.merged([]) == Overflows()
