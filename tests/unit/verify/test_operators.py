"""The operator checks pass on the kernels, and catch every fault planted in them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import Geometry
from hwsim.machine import KERNELS, REFERENCE, Arithmetic
from hwsim.verify import Check, verify_operators
from hwsim.verify.operators import OPERATOR_CHECKS
from quant.common.accumulators import OVERFLOWS
from quant.graph import Add, Convolution, Operator, PixelShuffle, Requantization
from quant.graph.operators import OPERATORS as OPERATORS_BY_KIND

OPERATORS = tuple(operator.kind for operator in KERNELS.operators)
FEW = {"values": 1, "cases": 4}


def off_by_one_at_the_last(compute: Any) -> Any:
    def wrong(*arguments: Any) -> Any:
        codes = np.array(compute(*arguments), np.int64)  # the greatest code may be one too many
        codes[-1, -1, -1] += 1
        return codes

    return wrong


def with_a_fault(operator: type[Operator]) -> Arithmetic:
    return KERNELS.replacing(operator, off_by_one_at_the_last(KERNELS.operators[operator]))


def halves_rounded_down(convolution: Convolution, types: Any, operands: Any) -> Any:
    """Requantization with the other rounding of exact halves."""
    requantization: Requantization = convolution.requantization
    around = convolution.padding
    sides = around.top, around.bottom, around.left, around.right
    pad_code = np.broadcast_to(convolution.pad_code, convolution.in_channels)
    padded = reference.pad(operands[0], sides, pad_code)
    geometry = Geometry(convolution.stride, convolution.dilation, convolution.groups)
    sums = reference.convolve(padded, convolution.weight, convolution.bias, geometry)
    product = sums * requantization.multiplier
    half = (np.int64(1) << requantization.shift) >> 1
    rounded = -((half - product) >> requantization.shift)
    return np.clip(rounded + requantization.zero_point, requantization.low, requantization.high)


def failed(checks: list[Check]) -> list[Check]:
    return [check for check in checks if check.mismatches]


def test_the_kernels_pass_on_every_operator() -> None:
    checks = verify_operators()
    assert {check.subject for check in checks} == set(OPERATORS)
    assert failed(checks) == []
    assert all(check.values >= 100_000 and check.cases >= 200 for check in checks)
    assert all(check.first_mismatch is None for check in checks)


@pytest.mark.parametrize("operator", OPERATORS)
def test_one_wrong_integer_in_each_map_is_counted_and_located(operator: str) -> None:
    checks = verify_operators(**FEW, candidate=with_a_fault(OPERATORS_BY_KIND[operator]))
    found = failed(checks)
    assert {check.subject for check in found} == {operator}
    for check in found:
        assert check.mismatches == check.cases
        assert check.first_mismatch is not None
        assert check.first_mismatch.startswith(f"{operator}, case 0 (")
        place, _, integers = check.first_mismatch.rpartition(": ")
        assert "row " in place
        found_code, expected_code = (int(word.split()[1]) for word in integers.split(", "))
        assert found_code == expected_code + 1


def test_another_rounding_of_halves_is_caught() -> None:
    wrong = KERNELS.replacing(Convolution, halves_rounded_down)
    checks = failed(verify_operators(values=1, cases=20, candidate=wrong))
    assert {check.subject for check in checks} == {"convolution"}


def _miscounted(*arguments: Any) -> Any:
    codes, overflows = KERNELS.accumulate(*arguments)
    return codes, replace(overflows, count=overflows.count + 1)


def _wrong_in_one(*arguments: Any) -> Any:
    codes, overflows = KERNELS.accumulate(*arguments)
    return off_by_one_at_the_last(lambda: codes)(), overflows


@pytest.mark.parametrize("fault", [_miscounted, _wrong_in_one])
def test_faults_of_accumulators_are_caught(fault: Any) -> None:
    found = failed(verify_operators(**FEW, candidate=replace(KERNELS, accumulate=fault)))
    assert [check.mode for check in found] == [f"overflow {name}" for name in OVERFLOWS]
    assert all(check.mismatches == check.cases for check in found)


def test_a_result_of_another_shape_is_a_mismatch() -> None:
    wrong = KERNELS.replacing(PixelShuffle, lambda operator, types, operands: operands[0])
    checks = failed(verify_operators(**FEW, candidate=wrong))
    assert {check.subject for check in checks} == {"pixel_shuffle"}
    for check in checks:
        assert check.first_mismatch is not None
        assert "shape" in check.first_mismatch


def test_the_same_seed_gives_the_same_checks() -> None:
    wrong = with_a_fault(Add)
    first, again, other = (
        verify_operators(seed=seed, **FEW, candidate=wrong) for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_progress_counts_operators() -> None:
    calls: list[tuple[int, int]] = []
    verify_operators(
        values=1,
        cases=1,
        candidate=REFERENCE,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(done, OPERATOR_CHECKS) for done in range(1, OPERATOR_CHECKS + 1)]
