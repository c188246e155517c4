"""Colours of widths: apart from one another, with ink that can be read."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.report.page.palette import bit_colours, ink_on, stepped_scale

WIDTHS = st.sets(st.integers(1, 16), min_size=1).map(sorted)
LEAST_CONTRAST = 4.5
"""Between text and its ground: level AA of the Web Content Accessibility Guidelines 2.2."""


def relative_luminance(red: float, green: float, blue: float) -> float:
    """Of sRGB, 0–255, by the guidelines' formula."""

    def linear(part: float) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def luminance_of(colour: str) -> float:
    if colour.startswith("#"):
        return {"#000000": 0.0, "#ffffff": 1.0}[colour]
    red, green, blue = map(float, colour.removeprefix("rgb(").removesuffix(")").split(","))
    return relative_luminance(red, green, blue)


@settings(deadline=None)  # the first example imports the colour maps
@given(WIDTHS)
def test_more_bits_are_darker_and_the_number_can_be_read(widths: list[int]) -> None:
    colours = bit_colours(widths)

    grounds = [luminance_of(colours[width]) for width in widths]
    assert all(left > right for left, right in pairwise(grounds))
    for colour, ground in zip(colours.values(), grounds, strict=True):
        light, dark = sorted((luminance_of(ink_on(colour)), ground), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= LEAST_CONTRAST


@settings(deadline=None)  # the first example imports the colour maps
@given(WIDTHS)
def test_a_heat_map_shows_each_width_in_its_colour(widths: list[int]) -> None:
    scale, least, largest = stepped_scale(widths)

    assert (scale[0][0], scale[-1][0]) == (0, 1)
    assert all(left[0] <= right[0] for left, right in pairwise(scale))
    for width, colour in bit_colours(widths).items():
        place = (width - least) / (largest - least)
        ((left, right),) = [
            pair for pair in pairwise(scale) if pair[0][0] <= place <= pair[1][0]
            and pair[0][0] < pair[1][0]
        ]  # fmt: skip
        assert left[1] == right[1] == colour


def test_a_single_width_has_a_colour() -> None:
    scale, least, largest = stepped_scale([8])

    assert (least, largest) == (7.5, 8.5)
    assert scale == [[0.0, bit_colours([8])[8]], [pytest.approx(1.0), bit_colours([8])[8]]]
