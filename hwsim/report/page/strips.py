"""The widths of each layer as strips of coloured cells."""

from collections.abc import Iterable, Mapping

from hwsim.report.page.blocks import Strip, Swatch
from hwsim.report.page.palette import bit_colours, ink_on

OPERANDS = ("weights", "activations")
LAYERS_IN_A_STRIP = 20
"""As many as fit on a page of A4."""

Widths = tuple[int | None, int | None]
"""Bits of weights and of activations; None where there are none."""

_NONE = Swatch("–", "transparent", "var(--muted)")


def bit_swatches(widths: Iterable[int]) -> dict[int, Swatch]:
    """A cell for each width: the same colours in every strip made of them."""
    return {
        width: Swatch(str(width), colour, ink_on(colour))
        for width, colour in bit_colours(sorted(set(widths))).items()
    }


def bit_strips(bits: Mapping[str, Widths], swatches: Mapping[int, Swatch]) -> tuple[Strip, ...]:
    """The bits of every layer, side by side.

    Args:
        bits: by layer.
        swatches: a cell for each width that occurs.
    """
    layers = list(bits)
    parts = [
        layers[first : first + LAYERS_IN_A_STRIP]
        for first in range(0, len(layers), LAYERS_IN_A_STRIP)
    ]
    return tuple(
        Strip(
            "layer",
            tuple(part),
            {
                operand: tuple(_swatch(bits[layer][side], swatches) for layer in part)
                for side, operand in enumerate(OPERANDS)
            },
        )
        for part in parts
    )


def _swatch(width: int | None, swatches: Mapping[int, Swatch]) -> Swatch:
    return _NONE if width is None else swatches[width]
