"""Loops in any order, against the same loops in Python."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.verify.rtl.loop_nest import AXES, LoopNest
from tests.property.effort import effort

SIZES = {"pixels": 5, "channels": 7, "reduction": 6, "taps": 2, "depth": 3}


def counted(loops: Sequence[str]) -> Iterator[dict[str, int]]:
    """The index along every axis, loop by loop."""
    parsed = []
    for text in loops:
        axis, _, block = text.lstrip("-").partition("/")
        parsed.append((axis, int(block or 1), text.startswith("-")))

    def go(place: int, index: dict[str, int]) -> Iterator[dict[str, int]]:
        if place == len(parsed):
            yield index
            return
        axis, block, is_backwards = parsed[place]
        larger = [b for a, b, _ in parsed if a == axis and b > block]
        steps = range(0, min(larger, default=SIZES[axis]), block)
        for step in reversed(steps) if is_backwards else steps:
            yield from go(place + 1, {**index, axis: index.get(axis, 0) + step})

    return go(0, {})


@st.composite
def nests(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    reduction = draw(st.sampled_from([("reduction",), ("taps", "depth")]))
    loops = ["pixels", "channels", *reduction]
    for axis in ("pixels", "channels", reduction[-1]):
        blocks = draw(st.sampled_from([(), (2,), (4,), (4, 2), (3,)]))
        loops += [f"{axis}/{block}" for block in blocks]
    loops = [draw(st.sampled_from(["", "-"])) + loop for loop in draw(st.permutations(loops))]
    cut = draw(st.integers(0, len(loops)))
    return loops[:cut], loops[cut:]


@effort(60)
@given(
    nests(), st.sampled_from([("pixels", "reduction"), ("reduction", "channels"), ("channels",)])
)
def test_places(nest: tuple[list[str], list[str]], axes: tuple[str, ...]) -> None:
    found = LoopNest.parse(*nest).places(SIZES, axes)
    wanted = []
    for index in counted(nest[0] + nest[1]):
        is_inside = {axis: index.get(axis, 0) < SIZES[axis] for axis in AXES}
        if "taps" in index:
            is_inside["reduction"] = is_inside["taps"] and is_inside["depth"]
            index["reduction"] = index["taps"] * SIZES["depth"] + index["depth"]
        place = 0
        for axis in axes:
            place = place * SIZES[axis] + index[axis]
        wanted.append(place if all(is_inside[axis] for axis in axes) else -1)
    assert found.ravel().tolist() == wanted
    assert found.shape[1] == sum(1 for _ in counted(nest[0] + nest[1])) // len(found)


def test_a_nest_by_hand() -> None:
    nest = LoopNest.parse(["channels/4", "-pixels"], ["channels"])
    assert nest.item_elements == 4
    sizes = {**SIZES, "pixels": 2, "channels": 5}
    wanted = [[5, 6, 7, 8], [0, 1, 2, 3], [9, -1, -1, -1], [4, -1, -1, -1]]
    np.testing.assert_array_equal(nest.places(sizes, ("pixels", "channels")), wanted)


@pytest.mark.parametrize(
    ("order", "item", "message"),
    [
        (["pixel"], [], r"expected a loop such as pixels, -channels or reduction/8, got 'pixel'"),
        (["pixels/0"], [], "got 'pixels/0'; axes are pixels, channels, reduction, taps, depth"),
        (["pixels"], ["pixels"], "two loops go over the same of pixels; keep one"),
        (["pixels/6", "pixels/4"], ["pixels"], "blocks of 4 do not divide those of 6 pixels"),
        (["reduction", "taps"], [], "the reduction is taps x depth; go over it or over both"),
    ],
)
def test_loops_that_make_no_sense(order: list[str], item: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LoopNest.parse(order, item)


def test_an_item_has_a_fixed_size() -> None:
    with pytest.raises(ValueError, match=r"how many channels an item has depends on the layer; go"):
        _ = LoopNest.parse(["pixels"], ["channels"]).item_elements
