"""Checks every operator's fast kernel against its int64 reference on random operators and codes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hwsim.machine import KERNELS, REFERENCE, Arithmetic
from hwsim.verify.checks import Check, Place, Progress, Tally
from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.random_operators import (
    KERNEL_SIDES,
    Random,
    random_accumulator,
    random_add,
    random_codes,
    random_convolution,
    random_fused_add,
    random_requantize,
    random_rounded_add,
    random_size,
    random_type,
)
from quant.common.accumulators import OVERFLOWS
from quant.common.codes import CodeKind
from quant.graph import (
    Add,
    Convolution,
    IntegerType,
    PixelShuffle,
    TensorType,
)

VALUES_PER_OPERATOR = 100_000
"""Output integers compared for each operator and mode, at least."""
CASES_PER_OPERATOR = 200
"""Random operators for each operator and mode, at least: enough to meet every width often."""

_SIGNED_8 = IntegerType(8, CodeKind.SIGNED)


@dataclass(frozen=True, slots=True)
class _Subject:
    """An operator in one of its variants, and where its cases come from."""

    operator: str
    mode: str
    draw: Callable[[Random], OperatorCase]


def verify_operators(
    seed: int = 0,
    values: int = VALUES_PER_OPERATOR,
    cases: int = CASES_PER_OPERATOR,
    candidate: Arithmetic = KERNELS,
    oracle: Arithmetic = REFERENCE,
    progress: Progress | None = None,
) -> list[Check]:
    """Compare each operator of one arithmetic with another, integer by integer.

    Args:
        seed: of the random operators; the same seed gives the same cases.
        values: output integers to compare for each operator and mode, at least.
        cases: random operators for each operator and mode, at least.
        candidate: the arithmetic checked.
        oracle: the arithmetic it must equal.
        progress: called with operators done and operators in all.
    """
    checks = []
    for position, subject in enumerate(_SUBJECTS):
        random = np.random.default_rng((seed, position))
        tally = Tally(subject.operator, oracle.name, subject.mode)
        while tally.values < values or tally.cases < cases:
            case = subject.draw(random)
            where = f"{subject.operator}, case {tally.cases} ({case.description})"
            _compare(tally, where, case, candidate, oracle)
        checks.append(tally.close())
        if progress is not None:
            progress(position + 1, len(_SUBJECTS))
    return checks


def _compare(
    tally: Tally, where: str, case: OperatorCase, candidate: Arithmetic, oracle: Arithmetic
) -> None:
    """Count a case; what overflowed an accumulator that is declared is compared as one value."""
    convolution = case.operator
    if not isinstance(convolution, Convolution) or convolution.accumulator is None:
        tally.compare(where, case.compute(candidate), case.compute(oracle), case.explain)
        return
    (codes, overflows), (expected, expected_overflows) = (
        arithmetic.accumulate(convolution, case.types, case.operands)
        for arithmetic in (candidate, oracle)
    )
    if overflows == expected_overflows:
        tally.compare(where, codes, expected, case.explain)
    else:
        place = f"{where}: found {overflows}, expected {expected_overflows}"
        tally.add(expected.size, int(np.count_nonzero(codes != expected)) + 1, Place(place))


def _draw_convolution(random: Random, kind: CodeKind, maximum_channels: int = 48) -> OperatorCase:
    operand, output = (_tensor(random, maximum_channels) for _ in range(2))
    weight_type = random_type(random, (kind,))
    # Large enough for the largest kernel without padding, small enough for many shapes.
    codes = random_codes(random, random_size(random, max(KERNEL_SIDES), 20), operand)
    convolution = random_convolution(random, operand, codes, output, weight_type, keep_size=False)
    height, width = convolution.kernel
    return OperatorCase(
        f"{height}×{width} {weight_type} on {_shape(codes)} {operand.integer} to {output}",
        convolution,
        (operand,),
        (codes,),
    )


def _draw_accumulation(random: Random, overflow: str) -> OperatorCase:
    """A convolution whose sums often leave their accumulator; small, as the reference steps."""
    case = _draw_convolution(random, CodeKind.SIGNED, 20)
    assert isinstance(case.operator, Convolution)
    accumulator = random_accumulator(random, case.operator, case.operands[0], overflow)
    return replace(
        case,
        description=f"{case.description} in {accumulator}",
        operator=replace(case.operator, accumulator=accumulator),
    )


def _draw_add(random: Random) -> OperatorCase:
    first, output = _tensor(random, 32), _tensor(random, 32)
    output = TensorType(first.channels, output.integer)
    second = TensorType(first.channels, random_type(random))
    size = random_size(random, 1, 32)
    codes = random_codes(random, size, first), random_codes(random, size, second)
    add = random_add(random, (first, second), codes, output)
    return OperatorCase(
        f"{first.integer} and {second.integer} of {_shape(codes[0])} to {output}",
        add,
        (first, second),
        codes,
    )


def _draw_add_with(random: Random, draw: Callable[[Random, IntegerType], Add]) -> OperatorCase:
    """An addition of 8-bit codes as an engine does it."""
    size = random_size(random, 1, 32)
    operand = TensorType(int(random.integers(1, 32, endpoint=True)), _SIGNED_8)
    codes = random_codes(random, size, operand), random_codes(random, size, operand)
    add = draw(random, _SIGNED_8)
    return OperatorCase(f"{_shape(codes[0])} {operand.integer}", add, (operand, operand), codes)


def _draw_requantize(random: Random) -> OperatorCase:
    operand = _tensor(random, 32)
    output = TensorType(operand.channels, random_type(random))
    codes = random_codes(random, random_size(random, 1, 32), operand)
    requantize = random_requantize(random, operand, codes, output)
    return OperatorCase(
        f"{operand.integer} of {_shape(codes)} to {output}",
        requantize,
        (operand,),
        (codes,),
    )


def _draw_pixel_shuffle(random: Random) -> OperatorCase:
    factor = int(random.integers(1, 4, endpoint=True))
    operand = TensorType(int(random.integers(1, 8)) * factor**2, random_type(random))
    codes = random_codes(random, random_size(random, 1, 24), operand)
    return OperatorCase(
        f"factor {factor} on {_shape(codes)} {operand.integer}",
        PixelShuffle(factor),
        (operand,),
        (codes,),
    )


def _tensor(random: Random, maximum_channels: int) -> TensorType:
    return TensorType(int(random.integers(1, maximum_channels, endpoint=True)), random_type(random))


def _shape(codes: NDArray[np.int32]) -> str:
    return "×".join(str(axis) for axis in codes.shape)


_SUBJECTS = (
    _Subject("convolution", "signed weights", lambda r: _draw_convolution(r, CodeKind.SIGNED)),
    _Subject("convolution", "unsigned weights", lambda r: _draw_convolution(r, CodeKind.UNSIGNED)),
    _Subject("convolution", "odd weights", lambda r: _draw_convolution(r, CodeKind.ODD)),
    *(
        _Subject("convolution", f"overflow {name}", partial(_draw_accumulation, overflow=name))
        for name in OVERFLOWS
    ),
    _Subject("add", "any widths", _draw_add),
    _Subject("add", "operands rounded first", lambda r: _draw_add_with(r, random_rounded_add)),
    _Subject("add", "sums in float32", lambda r: _draw_add_with(r, random_fused_add)),
    _Subject("requantize", "any widths", _draw_requantize),
    _Subject("pixel_shuffle", "factors 1 to 4", _draw_pixel_shuffle),
)
OPERATOR_CHECKS = len(_SUBJECTS)
"""Checks `verify_operators` makes."""
