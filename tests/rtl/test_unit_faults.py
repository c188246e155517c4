"""Faults planted in the units: each must be found by the checks that the units pass."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from hwsim.verify.rtl.icarus import IcarusSimulation
from tests.rtl import small_checks
from tests.rtl.requantizers import Variant, check_requantizers, random_cases
from tests.rtl.small_checks import Place
from tests.rtl.tools import ICARUS, needs
from tests.rtl.units import RTL
from tests.rtl.vector_checks import check_operations

Check = Callable[[Path, Path], None]
"""Given a folder to work in and that of the sources."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A change of a module that must not pass.

    Attributes:
        module: which one.
        changes: what is replaced by what; each occurs once.
        check: what finds it.
    """

    module: str
    changes: tuple[tuple[str, str], ...]
    check: str


def _requantizer(mode: str, first: int, folder: Path, sources: Path) -> None:
    variant: Variant = (mode, first)
    cases = {variant: random_cases(*variant, 256)}
    check_requantizers(IcarusSimulation, [variant], cases, folder, sources)


def _vector_unit(mode: str, first: int, folder: Path, sources: Path) -> None:
    check_operations(IcarusSimulation, folder, (9, 5, 1), [(mode, first)], sources)


def _small(check: Callable[[Place], None], folder: Path, sources: Path) -> None:
    check(Place(IcarusSimulation, folder, sources))


CHECKS: dict[str, Check] = {
    **{
        f"{mode}_{first}": partial(_requantizer, mode, first)
        for mode, first in (
            ("half_up", 0),
            ("half_down", 0),
            ("half_away", 0),
            ("half_even", 0),
            ("half_even", 1),
            ("trunc_zero", 0),
            ("tflite_double", 0),
            ("tflite_s64", 0),
        )
    },
    "vector": partial(_vector_unit, "half_up", 0),
    "vector, two roundings": partial(_vector_unit, "tflite_double", 0),
    "summaries": partial(_small, small_checks.check_summaries),
    "joined summaries": partial(_small, small_checks.check_joined_summaries),
    "long sums": partial(_small, small_checks.check_long_sums),
    "idle lanes": partial(_small, small_checks.check_idle_lanes),
    "normalizations": partial(_small, partial(small_checks.check_normalizations, channels=40)),
    "terms": partial(_small, partial(small_checks.check_terms, bits=5)),
    "table": partial(_small, small_checks.check_table),
}


def _fault(module: str, check: str, *changes: tuple[str, str]) -> Fault:
    return Fault(module, changes, check)


FAULTS = {
    "no rounding": _fault(
        "rounding_shift", "half_up_0", ("below + {{VALUE_BITS{1'b0}}, up}", "below")
    ),
    "shift off by one": _fault(
        "rounding_shift", "half_up_0", ("doubled >>> shift;", "doubled >>> (shift + 1'b1);")
    ),
    "logical shift": _fault(
        "rounding_shift", "half_up_0", ("doubled >>> shift;", "doubled >> shift;")
    ),
    "halves down, not up": _fault(
        "rounding_shift",
        "half_up_0",
        ('ROUNDING == "tflite_s64" ? half', 'ROUNDING == "tflite_s64" ? half & less'),
    ),
    "halves up, not down": _fault(
        "rounding_shift", "half_down_0", ('"half_down" ? half & less', '"half_down" ? half')
    ),
    "halves towards zero": _fault(
        "rounding_shift", "half_away_0", ("less | ~negative", "less | negative")
    ),
    "halves to odd": _fault("rounding_shift", "half_even_0", ("less | odd", "less | ~odd")),
    "truncation away from zero": _fault(
        "rounding_shift", "trunc_zero_0", ("? negative & (half", "? ~negative & (half")
    ),
    "bits under the half lost": _fault(
        "rounding_shift", "half_down_0", ("wire less = |(doubled", "wire less = 1'b0 & |(doubled")
    ),
    "zero point not before the rounding": _fault(
        "rounding_shift", "half_even_1", ("wire odd = below[0];", "wire odd = below_value[0];")
    ),
    "no bias": _fault(
        "requantizer",
        "half_up_0",
        ("{{(BIASED_BITS - BIAS_BITS) {bias[BIAS_BITS-1]}}, bias}", "1'b0"),
    ),
    "bias without sign": _fault(
        "requantizer",
        "half_up_0",
        ("{(BIASED_BITS - BIAS_BITS) {bias[BIAS_BITS-1]}}", "{(BIASED_BITS - BIAS_BITS) {1'b0}}"),
    ),
    "zero point subtracted": _fault(
        "requantizer",
        "half_up_0",
        (
            "rounded[PRODUCT_BITS], rounded}\n      + {",
            "rounded[PRODUCT_BITS], rounded}\n      - {",
        ),
    ),
    "zero point twice": _fault(
        "requantizer",
        "half_even_1",
        ("added <= ZERO_POINT_FIRST != 0 ?", "added <= ZERO_POINT_FIRST == 0 ?"),
    ),
    "a stage too many": _fault(
        "requantizer",
        "half_up_0",
        ("  always @", "  reg late_valid;\n  reg [CODE_BITS-1:0] late;\n  always @"),
        (
            "code_valid <= rounded_valid & ~reset;\n    code <= next_code;",
            "{code_valid, code, late_valid, late} <= {late_valid, late, rounded_valid, next_code};",
        ),
    ),
    "scale of the next sum": _fault(
        "requantizer", "half_up_0", (".low(rounded_low)", ".low(scaled_low)")
    ),
    "no lower clamp": _fault("clamp", "half_up_0", ("value < wide_low ? low : ", "")),
    "no upper clamp": _fault("clamp", "half_up_0", ("value > wide_high ? high : ", "")),
    "narrow product": _fault(
        "scaling_product",
        "half_up_0",
        (
            "begin : scaled\n      assign product = value * multiplier;",
            "begin : scaled\n      wire signed [35:0] low = value * multiplier;\n"
            "      assign product = low;",
        ),
    ),
    "unsigned multiplier": _fault(
        "scaling_product",
        "half_up_0",
        (
            "begin : scaled\n      assign product = value * multiplier;",
            "begin : scaled\n      assign product = value * $signed({1'b0, multiplier});",
        ),
    ),
    "one rounding of two": _fault(
        "scaling_product", "tflite_double_0", ("(whole + half)", "whole")
    ),
    "no wrap to 32 bits": _fault(
        "scaling_product",
        "tflite_double_0",
        ("{{(FACTOR_BITS - 32) {shifted[31]}}, shifted}", "wide << left"),
    ),
    "multiplier rounded beyond 0x7FFF": _fault(
        "scaling_product", "tflite_s64_0", ("upper == 16'h7FFF ? upper : ", "")
    ),
    "multiplier cut, not rounded": _fault(
        "scaling_product", "tflite_s64_0", ("upper + {15'b0, multiplier[15]}", "upper")
    ),
    "offset of the first for the second": _fault(
        "vector_lane",
        "vector",
        (
            "{second_offset[ELEMENT_BITS-1], second_offset}",
            "{first_offset[ELEMENT_BITS-1], first_offset}",
        ),
    ),
    "no bias in an exact sum": _fault(
        "vector_lane",
        "vector",
        ("wide_first + wide_second + wide_bias", "wide_first + wide_second"),
    ),
    "second operand left out": _fault(
        "vector_lane", "vector", ("wide_first + wide_second + wide_bias", "wide_first + wide_bias")
    ),
    "slope for sums above zero": _fault(
        "vector_lane", "vector", ("(kind == SLOPE && below_zero)", "(kind == SLOPE && !below_zero)")
    ),
    "marks lost": _fault("vector_unit", "vector", ("again & oldest_marks[lane]", "1'b0")),
    "passes do not wait": _fault("vector_unit", "vector", ("again ? oldest_valid", "again ? 1'b1")),
    "kept results leave": _fault(
        "vector_unit", "vector", ("valid[STAGES-1] & ~kept[STAGES-1]", "valid[STAGES-1]")
    ),
    "no widening of terms": _fault(
        "vector_lane", "vector, two roundings", ("first_offset}) << left_shift", "first_offset})")
    ),
    "youngest first": _fault("kept_results", "vector", ("empty ? kept", "kept_valid ? kept")),
    "results kept too long": _fault("kept_results", "vector", ("kept_valid | ~empty", "~empty")),
    "minimum begins at 0": _fault(
        "statistics_lane", "summaries", ("begins ? GREATEST", "begins ? {ELEMENT_BITS{1'b0}}")
    ),
    "maximum begins at 0": _fault(
        "statistics_lane", "summaries", ("begins ? LEAST", "begins ? {ELEMENT_BITS{1'b0}}")
    ),
    "sums not begun anew": _fault(
        "statistics_lane", "summaries", ("begins ? {SUM_BITS{1'b0}} : sum;", "sum;")
    ),
    "narrow sum": _fault(
        "statistics_lane",
        "long sums",
        ("sum_before + wide : ", "{{8{wide[31]}}, sum_before[31:0] + wide[31:0]} : "),
    ),
    "unsigned comparison": _fault(
        "statistics_lane",
        "summaries",
        ("element < minimum_before", "$unsigned(element) < minimum_before"),
    ),
    "earlier tile forgotten": _fault(
        "statistics_lane", "joined summaries", ("resumes ? earlier_maximum : ", "")
    ),
    "idle lanes count": _fault(
        "statistics_lane", "idle lanes", ("minimum <= has_element && ", "minimum <= ")
    ),
    "mean's halves away": _fault(
        "normalizer", "normalizations", ("(is_half && quotient[0])", "is_half")
    ),
    "mean without sign": _fault(
        "normalizer", "normalizations", ("is_negative ? -mean_magnitude : ", "")
    ),
    "reciprocal cut, not rounded": _fault(
        "normalizer", "normalizations", ("twice >= {1'b0, divisor} ? 1", "1'b0 ? 1")
    ),
    "remainder not begun at 0": _fault(
        "serial_divider",
        "normalizations",
        ("start ? {DIVISOR_BITS{1'b0}} : remainder", "remainder"),
    ),
    "a step too many": _fault("normalizer", "normalizations", ("STEPS = 72;", "STEPS = 73;")),
    "terms of the wrong sign": _fault(
        "term_recoder", "terms", ("negative = negatives[place];", "negative = ~negatives[place];")
    ),
    "two's complement digits": _fault("term_recoder", "terms", ("differ[WEIGHT_BITS:1]", "weight")),
    "another index": _fault("term_recoder", "terms", ("seen == index", "seen + 1'b1 == index")),
    "table written late": _fault(
        "code_table",
        "table",
        ("words[write_code] <= write_word", "words[write_code + 1'b1] <= write_word"),
    ),
}


@needs(*ICARUS)
@pytest.mark.parametrize("check", CHECKS)
def test_without_a_fault(check: str, tmp_path: Path) -> None:
    CHECKS[check](tmp_path, RTL)


@needs(*ICARUS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    sources = tmp_path / "sources"
    shutil.copytree(RTL, sources, ignore=lambda _, names: [n for n in names if n[-2:] != ".v"])
    file = sources / f"{fault.module}.v"
    text = file.read_text(encoding="ascii")
    for old, new in fault.changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file.write_text(text, encoding="ascii")
    with pytest.raises(AssertionError):
        CHECKS[fault.check](tmp_path, sources)
