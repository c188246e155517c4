"""How tiles pass the ports of a design: what every way to feed one answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.outcome import Job
from hwsim.verify.rtl.tiles import Tile

Wide = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CodeLane:
    """What one lane of an output should give of a tile.

    Attributes:
        places: which of the tile's codes each element is, pixel x channels + channel, or -1 where
            it only fills up a block; [items, elements].
        bits: of an element.
        is_signed: whether elements are two's complement.
    """

    places: Wide
    bits: int
    is_signed: bool


class PortProtocol(Protocol):
    """The ports of a design, and the order in which operands and codes pass them."""

    @property
    def design(self) -> Design:
        """The module and its ports."""
        ...

    def misfit(self, tile: Tile) -> str | None:
        """Why a tile cannot pass the ports; None when it can."""
        ...

    def job(self, tile: Tile) -> Job:
        """The streams and settings of a tile that fits."""
        ...

    def lanes(self, tile: Tile) -> Mapping[str, CodeLane]:
        """What the outputs should give, by lane."""
        ...

    def cycles(self, tile: Tile) -> int | None:
        """The cycle in which the last code should be seen; None where that is not compared."""
        ...
