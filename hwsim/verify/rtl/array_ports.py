"""Tiles through the ports of this project's own arrays, whoever wrote the module behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from accelerators import Accelerator
from accelerators.rtl.parameters import CODE_BITS
from hwsim.verify.rtl.array_design import array_design, code_places, codes_stream
from hwsim.verify.rtl.array_jobs import array_job
from hwsim.verify.rtl.described_ports import array_cycles
from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.outcome import Job
from hwsim.verify.rtl.protocol import CodeLane
from hwsim.verify.rtl.tiles import Tile


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPorts:
    """The ports of an accelerator's array.

    Attributes:
        design: the module.
        accelerator: whose array it is.
    """

    design: Design
    accelerator: Accelerator

    @classmethod
    def of_module(
        cls, top: str, sources: Sequence[Path], accelerator: Accelerator, rounding: str
    ) -> "ArrayPorts":
        """A module with these ports; one that has the name of ours gets its parameters too.

        Raises:
            UserError: there is no Verilog for the rounding.
        """
        ours = array_design(accelerator.array, rounding)
        parameters = ours.parameters if top == ours.top else {}
        design = replace(ours, top=top, sources=tuple(sources), parameters=parameters)
        return cls(design, accelerator)

    def misfit(self, tile: Tile) -> str | None:
        """Why a tile cannot pass the ports; None when it can."""
        try:
            self.job(tile)
        except ValueError as error:
            return str(error)
        return None

    def job(self, tile: Tile) -> Job:
        """The streams and settings of a tile."""
        return array_job(self.accelerator.array, tile.product)

    def lanes(self, tile: Tile) -> Mapping[str, CodeLane]:
        """What the columns should give."""
        array = self.accelerator.array
        places = code_places(array, tile.product.work)
        names = codes_stream(array).lane_names
        return {
            name: CodeLane(lane[:, np.newaxis], CODE_BITS, is_signed=True)
            for name, lane in zip(names, places, strict=True)
        }

    def cycles(self, tile: Tile) -> int | None:
        """The accelerator's cycles for the tile."""
        return array_cycles(self.accelerator, tile)
