"""A colour for each width in bits: cividis, of which lightness alone tells enough."""

from collections.abc import Sequence
from itertools import pairwise

_SCALE = "Cividis_r"  # light for few bits, dark for many
_LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Weights of linear red, green and blue: ITU-R BT.709."""
_GAMMA = 2.2
_EQUALLY_LEGIBLE = 0.18
"""Luminance on which black and white contrast alike, (L + 0.05)² = 1.05 · 0.05, by the Web Content
Accessibility Guidelines 2.2."""


def bit_colours(widths: Sequence[int]) -> dict[int, str]:
    """Colours of CSS for widths, rising, as far from one another as they can be."""
    from plotly.colors import sample_colorscale  # slow to import, and only needed here

    places = [place / max(len(widths) - 1, 1) for place in range(len(widths))]
    return dict(zip(widths, sample_colorscale(_SCALE, places), strict=True))


def ink_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour of `bit_colours`."""
    from plotly.colors import unlabel_rgb

    parts = zip(_LUMINANCE, unlabel_rgb(colour), strict=True)
    luminance = sum(weight * (part / 255) ** _GAMMA for weight, part in parts)
    return "#000000" if luminance > _EQUALLY_LEGIBLE else "#ffffff"


def stepped_scale(widths: Sequence[int]) -> tuple[list[list[float | str]], float, float]:
    """The same colours for a heat map: plotly's colour scale, and the least and largest value."""
    colours = bit_colours(widths)
    least, largest = widths[0] - 0.5, widths[-1] + 0.5
    edges = [least, *((left + right) / 2 for left, right in pairwise(widths)), largest]
    scale: list[list[float | str]] = []
    for width, (left, right) in zip(widths, pairwise(edges), strict=True):
        for edge in (left, right):
            scale.append([(edge - least) / (largest - least), colours[width]])
    return scale, least, largest
