"""Figures by widths as sums of terms that grow with them, fitted to what was measured."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

Figure = tuple[int, int, float]
"""Weight bits, activation bits, and what was measured."""

TERMS: Mapping[str, Callable[[int, int], float]] = {
    "constant": lambda weight_bits, activation_bits: 1.0,
    "per_bit": lambda weight_bits, activation_bits: weight_bits + activation_bits,
    "per_activation_bit": lambda weight_bits, activation_bits: activation_bits,
    "per_weight_bit": lambda weight_bits, activation_bits: weight_bits,
    "per_bit_pair": lambda weight_bits, activation_bits: weight_bits * activation_bits,
}
"""The terms of `accelerators.curves.Fit`."""

_DIGITS = 4
_LEAST = 1e-9
"""Of a coefficient; what is below is rounding."""


def fitted(figures: Sequence[Figure], terms: Sequence[str]) -> dict[str, float]:
    """Coefficients, none of them below 0, with the least squares of relative errors.

    Args:
        figures: what was measured.
        terms: keys of `TERMS`; those whose coefficient is 0 are left out, but for the constant.
    """
    from scipy.optimize import nnls

    rows = [[TERMS[term](w, a) / figure for term in terms] for w, a, figure in figures]
    coefficients, _ = nnls(np.array(rows), np.ones(len(figures)))
    found = {
        term: rounded(value)
        for term, value in zip(terms, coefficients, strict=True)
        if value > _LEAST
    }
    return {"constant": 0.0, **found}


def evaluated(fit: Mapping[str, float], weight_bits: int, activation_bits: int) -> float:
    """A fit's value at given widths."""
    return sum(value * TERMS[term](weight_bits, activation_bits) for term, value in fit.items())


def largest_error(figures: Sequence[Figure], fit: Mapping[str, float]) -> float:
    """The largest relative miss of a fit, such as 0.07."""
    return max(abs(evaluated(fit, w, a) / figure - 1) for w, a, figure in figures)


def rounded(value: float) -> float:
    """To four digits, which is more than any of it is worth."""
    return float(f"{value:.{_DIGITS}g}")
