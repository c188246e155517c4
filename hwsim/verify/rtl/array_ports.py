"""Tiles through the ports of this project's own arrays, whoever wrote the module behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from accelerators import Accelerator
from accelerators.rtl.parameters import CODE_BITS
from accelerators.rtl.top_level import top_name
from hwsim.verify.rtl.array_design import array_design, code_places, codes_stream
from hwsim.verify.rtl.array_jobs import array_job
from hwsim.verify.rtl.described_ports import array_cycles
from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.outcome import Job
from hwsim.verify.rtl.protocol import CodeLane
from hwsim.verify.rtl.tiles import Tile

UNIT = "array_"
"""What the array's ports begin with in a top module that `accelerators.rtl.top_level` writes."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPorts:
    """The ports of an accelerator's array.

    Attributes:
        design: the module.
        accelerator: whose array it is.
        prefix: what the names of its ports begin with.
    """

    design: Design
    accelerator: Accelerator
    prefix: str

    @classmethod
    def of_module(
        cls, top: str, sources: Sequence[Path], accelerator: Accelerator, rounding: str
    ) -> "ArrayPorts":
        """A module with these ports.

        One that is called as the accelerator, `_top` behind, has those of its written top module,
        of which all others stay open; one called as our array gets our array's parameters.

        Raises:
            UserError: there is no Verilog for the rounding.
        """
        ours = array_design(accelerator.array, rounding)
        prefix = UNIT if top == top_name(accelerator) else ""
        design = replace(
            ours,
            top=top,
            sources=tuple(sources),
            parameters=ours.parameters if top == ours.top else {},
            inputs=tuple(replace(port, name=prefix + port.name) for port in ours.inputs),
            outputs=tuple(replace(port, name=prefix + port.name) for port in ours.outputs),
            settings=tuple(replace(port, name=prefix + port.name) for port in ours.settings),
            counts_from=f"{prefix}{ours.counts_from}",
        )
        return cls(design, accelerator, prefix)

    def misfit(self, tile: Tile) -> str | None:
        """Why a tile cannot pass the ports; None when it can."""
        try:
            self.job(tile)
        except ValueError as error:
            return str(error)
        return None

    def job(self, tile: Tile) -> Job:
        """The streams and settings of a tile."""
        job = array_job(self.accelerator.array, tile.product)
        return replace(
            job,
            streams={self.prefix + name: items for name, items in job.streams.items()},
            wanted={self.prefix + name: count for name, count in job.wanted.items()},
            settings={self.prefix + name: value for name, value in job.settings.items()},
        )

    def lanes(self, tile: Tile) -> Mapping[str, CodeLane]:
        """What the columns should give."""
        array = self.accelerator.array
        places = code_places(array, tile.product.work)
        names = codes_stream(array).lane_names
        return {
            self.prefix + name: CodeLane(lane[:, np.newaxis], CODE_BITS, is_signed=True)
            for name, lane in zip(names, places, strict=True)
        }

    def cycles(self, tile: Tile) -> int | None:
        """The accelerator's cycles for the tile."""
        return array_cycles(self.accelerator, tile)
