"""Divisions of one row of operators, joined to the finest that none of them cuts through."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.joined_cascades import joined_cascades

NAMES = tuple("abcdefgh")


def test_what_runs_together_anywhere_is_one() -> None:
    found = joined_cascades(["ab", "cd", "e", "a", "bc", "d", "e", "f"])
    assert found == {"a": 0, "b": 0, "c": 0, "d": 0, "e": 1, "f": 2}
    assert joined_cascades([]) == {}


def test_numbers_count_in_order_of_appearance() -> None:
    assert joined_cascades(["x", "ab", "bx"]) == {"x": 0, "a": 0, "b": 0}
    assert joined_cascades(["b", "a", "b"]) == {"b": 0, "a": 1}


def _pieces(cuts: Sequence[int]) -> list[tuple[str, ...]]:
    ends = sorted({0, len(NAMES), *cuts})
    return [NAMES[start:end] for start, end in pairwise(ends)]


@given(st.lists(st.sets(st.integers(1, len(NAMES) - 1)), min_size=1, max_size=4))
def test_of_runs_of_neighbours_the_common_cuts_are_left(divisions: list[set[int]]) -> None:
    found = joined_cascades(piece for cuts in divisions for piece in _pieces(sorted(cuts)))
    expected = _pieces(sorted(set.intersection(*divisions)))
    assert found == {name: number for number, names in enumerate(expected) for name in names}
