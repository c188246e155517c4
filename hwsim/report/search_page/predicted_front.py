"""The policies of the predicted front that charts show."""

from dataclasses import dataclass

from hwsim.search import SearchResult
from hwsim.search.confirmation import spread_points
from hwsim.search.measurement import Figures
from quant.policy import LayerBits

MOST_DRAWN = 200
"""More could not be told apart on a screen, and a front may have hundreds of thousands."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictedPolicy:
    """A policy of the predicted front.

    Attributes:
        number: its place on the front, from 1.
        figures: what the tables say of it.
        bits: the bits of each layer.
    """

    number: int
    figures: Figures
    bits: dict[str, LayerBits]


def drawn_front(found: SearchResult) -> list[PredictedPolicy]:
    """At most `MOST_DRAWN` policies, both ends among them, about evenly spaced in decibels.

    Without those that are predicted to have no error at all: a chart in decibels has no place for
    them.
    """
    drawn, count = [], len(found.front)
    for index in range(count) if count <= MOST_DRAWN else spread_points(found.front, MOST_DRAWN):
        bits = found.front.bits(index)
        figures = found.model.predict(bits)
        assert figures is not None, "the front is made of what has entries"
        if figures.mse > 0:
            drawn.append(PredictedPolicy(index + 1, figures, bits))
    return drawn
