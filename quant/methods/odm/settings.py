"""What the two versions of ODM do, as data."""

from dataclasses import dataclass
from typing import Literal

Cooperation = Literal["none", "naive", "cooperative", "gated"]
"""How the regularizer's gradient joins that of the reconstruction: not at all; added; weighted by
how alike both are (version 2); where both have one sign (version 1)."""

REGULARIZER_WEIGHT = 1e-5
"""Of mismatch and of variance; specification 5.1 and 5.2."""
DENSE_REGULARIZER_WEIGHT = 1e-6
"""The same for RDN."""

RANGE_PERCENT = 99.0
"""Ranges of feature maps start at this percentile and its counterpart; specification 5.1."""
WEIGHT_PERCENT = 99.0
"""Of the magnitudes of a layer's weights, which their clipping follows; specification 5.1, O5."""

QUANTIZER_RATE_FACTOR = 10.0
"""Learning rate of ranges, clipping and offsets, in that of weights; specification 5.1, O6."""

OFFSET_SHARE = 0.3
"""Of the layers that get a shift, and likewise a scale; specification 5.2."""

CALIBRATION_PATCHES = 100
"""At least, that ranges and mismatches are taken from before a run; specification 5.2."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One version of ODM with its options; all of it changes what is learned.

    Attributes:
        name: of the method.
        cooperation: of the regularizer with the reconstruction.
        penalizes_mismatch: whether the regularizer is the distance of a layer's input from its
            codes (version 2), else its standard deviation (version 1).
        straight_through: whether the distance's gradient also goes through the quantizer.
        corrects_clipping: whether clipping follows the weights' percentile (version 2), else it is
            learned by itself.
        offsets: whether layers whose channels differ most get a shift or scale (version 1).
    """

    name: str
    cooperation: Cooperation
    penalizes_mismatch: bool
    straight_through: bool = False
    corrects_clipping: bool = False
    offsets: bool = False


VERSION_1 = Settings("odm", "gated", penalizes_mismatch=False, offsets=True)
VERSION_2 = Settings("odm-v2", "cooperative", penalizes_mismatch=True, corrects_clipping=True)
