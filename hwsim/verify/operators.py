"""Checks every operator's fast kernel against its int64 reference on random operators and codes."""

import numpy as np

from hwsim.machine import KERNELS, REFERENCE, Arithmetic
from hwsim.verify.checks import Check, Place, Progress, Tally
from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.operator_cases import SUBJECTS
from quant.graph import Convolution

VALUES_PER_OPERATOR = 100_000
"""Output integers compared for each operator and mode, at least."""
CASES_PER_OPERATOR = 200
"""Random operators for each operator and mode, at least: enough to meet every width often."""
OPERATOR_CHECKS = len(SUBJECTS)
"""Checks `verify_operators` makes."""


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
    for position, subject in enumerate(SUBJECTS):
        random = np.random.default_rng((seed, position))
        tally = Tally(subject.operator, oracle.name, subject.mode)
        while tally.values < values or tally.cases < cases:
            case = subject.draw(random)
            where = f"{subject.operator}, case {tally.cases} ({case.description})"
            _compare(tally, where, case, candidate, oracle)
        checks.append(tally.close())
        if progress is not None:
            progress(position + 1, len(SUBJECTS))
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
