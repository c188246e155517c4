"""What an accelerator executes for one image size: commands on real DRAM and SRAM addresses.

A `Program` is data: tensors placed in DRAM, constants as bytes, and commands in issue order.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.commands import Command
from hwsim.schedule.storage import DramTensor


@dataclass(frozen=True, slots=True)
class Tiling:
    """How a group's output is cut: strips of ``columns``, steps of ``rows``, weight blocks.

    Attributes:
        columns: output columns of a strip.
        rows: output rows of a step down the strip.
        channels: output channels of a weight block; all of them means the weights stay in SRAM.
    """

    columns: int
    rows: int
    channels: int


@dataclass(frozen=True, slots=True)
class ScheduledGroup:
    """Operators executed together on each tile: an anchor and the elementwise ones behind it.

    Groups of one cascade run together, the next one's tiles between this one's
    (`hwsim.schedule.cascade`).

    Attributes:
        name: the anchor's node name.
        nodes: the nodes, anchor first.
        kinds: their operator kinds, in the same order.
        tiling: how the output is cut.
        cascade: number of the cascade it runs in, counted from 0 in the order of execution.
        sram_bytes: SRAM the buffers of all groups of its cascade occupy.
        macs: multiply-accumulate operations of the anchor.
        weight_bits: width of the anchor's weights, None without weights.
        activation_bits: width of the anchor's input.
        shape: all that the commands of its cascade depend on but names, addresses and constants'
            values, and its position there; equal shapes cost the same on the same machine.
    """

    name: str
    nodes: tuple[str, ...]
    kinds: tuple[str, ...]
    tiling: Tiling
    cascade: int
    sram_bytes: int
    macs: int
    weight_bits: int | None
    activation_bits: int
    shape: Hashable = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """What an accelerator executes for one image size.

    Attributes:
        graph: name of the graph.
        accelerator: name of the accelerator it was scheduled for.
        groups: the groups in order; commands name theirs by index.
        commands: in issue order.
        constants: uint8, the bytes DRAM holds from address 0 on.
        tensors: every feature map in DRAM, by node name.
        input: where the image is put.
        output: where the result is found.
        dram_bytes: size of the DRAM image.
    """

    graph: str
    accelerator: str
    groups: tuple[ScheduledGroup, ...]
    commands: tuple[Command, ...]
    constants: NDArray[np.uint8]
    tensors: dict[str, DramTensor]
    input: DramTensor
    output: DramTensor
    dram_bytes: int

    def cascades(self) -> Iterator[tuple[tuple[ScheduledGroup, ...], Iterator[Command]]]:
        """The groups of each cascade, in order, and their commands with the barrier before them.

        Commands of one cascade are gone when the next one is asked for.
        """
        by_group = groupby(self.groups, key=attrgetter("cascade"))
        by_command = groupby(self.commands, key=lambda command: self.groups[command.group].cascade)
        for (_, groups), (_, commands) in zip(by_group, by_command, strict=True):
            yield tuple(groups), commands
