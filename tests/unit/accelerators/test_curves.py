"""Figures on a grid of widths: between its points, beyond them, and what is no grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from accelerators.curves import Grid

GRID = Grid(weight_bits=(2, 4, 8), activation_bits=(1, 8), rows=((1, 8), (2, 20), (9, 30)))


@pytest.mark.parametrize(
    ("weight_bits", "activation_bits", "figure"),
    [
        (2, 1, 1),
        (8, 8, 30),
        (4, 4.5, 11),
        (6, 1, 5.5),
        (3, 4.5, (1 + 8 + 2 + 20) / 4),
        (1, 1, 1),  # narrower than the first
        (12, 1, 9 * 12 / 8),  # in proportion
        (8, 16, 60),
    ],
)
def test_between_points_and_beyond(
    weight_bits: float, activation_bits: float, figure: float
) -> None:
    assert GRID.at(weight_bits, activation_bits) == pytest.approx(figure)


@given(st.integers(1, 15), st.integers(1, 15))
def test_more_bits_are_never_less(weight_bits: int, activation_bits: int) -> None:
    here = GRID.at(weight_bits, activation_bits)
    assert GRID.at(weight_bits + 1, activation_bits) >= here
    assert GRID.at(weight_bits, activation_bits + 1) >= here


def test_a_grid_of_one_point() -> None:
    grid = Grid(weight_bits=(8,), activation_bits=(8,), rows=((3,),))
    assert (grid.at(1, 1), grid.at(1, 16)) == (3, 6)


@pytest.mark.parametrize(
    ("weight_bits", "activation_bits", "rows", "why"),
    [
        ((4, 2), (1,), ((1,), (2,)), "expected ascending widths"),
        ((2, 4), (1, 1), ((1, 1), (2, 2)), "expected ascending widths"),
        ((2, 4), (1, 2), ((1, 2),), "expected 2 rows of 2 figures"),
        ((2, 4), (1, 2), ((1, 2), (3,)), "expected 2 rows of 2 figures"),
        ((2, 4), (1, 2), ((1, 2), (0.5, 3)), "figures that never fall"),
        ((2, 4), (1, 2), ((2, 1), (3, 4)), "figures that never fall"),
    ],
)
def test_what_is_no_grid(
    weight_bits: tuple[int, ...],
    activation_bits: tuple[int, ...],
    rows: tuple[tuple[float, ...], ...],
    why: str,
) -> None:
    with pytest.raises((ValidationError, ValueError), match=why):
        Grid(weight_bits=weight_bits, activation_bits=activation_bits, rows=rows)
