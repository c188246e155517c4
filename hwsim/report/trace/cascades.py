"""What runs, cascade by cascade, of a program or of an image in parts."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from accelerators import Accelerator
from hwsim.adaptive import DECISION, FRONT_END, decision_transfer
from hwsim.cost import Clock
from hwsim.cost.command_costs import DMA
from hwsim.cost.live_memory import live_changes
from hwsim.image_run import ImageRun
from hwsim.report.trace.slices import Slice, slice_of
from hwsim.schedule import Program
from hwsim.schedule.program import ScheduledGroup


@dataclass(frozen=True, slots=True)
class TracedCascade:
    """Layers that run together. They start when everything before them has ended.

    Attributes:
        name: of its only layer, or of the first and the last.
        patch: number of the patch of the image, from 0; None where the image runs whole.
        cycles: from its start to its end.
        slices: of all units, in issue order.
        sram_changes: by how many bytes the SRAM that is in use changes, by cycle from its start.
    """

    name: str
    patch: int | None
    cycles: int
    slices: tuple[Slice, ...]
    sram_changes: Mapping[int, int]


def traced_run(run: ImageRun, accelerator: Accelerator) -> Iterator[TracedCascade]:
    """The cascades of every part of an image, one after the other.

    Args:
        run: of the machine.
        accelerator: the machine.
    """
    for number, part in enumerate(run.parts):
        patch = None if len(run.parts) == 1 else number
        if part.selector is not None:
            yield from traced_program(part.selector, accelerator, FRONT_END, patch)
            yield _decision(part.selector, accelerator, patch)
        yield from traced_program(part.program, accelerator, "", patch)


def traced_program(
    program: Program, accelerator: Accelerator, prefix: str = "", patch: int | None = None
) -> Iterator[TracedCascade]:
    """The cascades of a program.

    Args:
        program: what was scheduled for the accelerator.
        accelerator: the machine.
        prefix: in front of names.
        patch: of which patch it is.
    """
    layers = [group.name for group in program.groups]
    for groups, commands in program.cascades():
        clock = Clock(accelerator)
        events = [event for command in commands if (event := clock.advance(command)) is not None]
        yield TracedCascade(
            _name(groups, prefix),
            patch,
            clock.now,
            tuple(slice_of(event, layers, prefix, accelerator) for event in events),
            live_changes(events),
        )


def _name(groups: tuple[ScheduledGroup, ...], prefix: str) -> str:
    first, last = prefix + groups[0].name, prefix + groups[-1].name
    return first if len(groups) == 1 else f"{first} … {last}"


def _decision(selector: Program, accelerator: Accelerator, patch: int | None) -> TracedCascade:
    """The control processor reading the front end's sums; see `hwsim.adaptive`."""
    name = FRONT_END + DECISION
    size_bytes, busy_cycles, cycles = decision_transfer(selector, accelerator)
    reading = Slice(DMA, f"load {name}", "load", 0, busy_cycles, size_bytes, 0, 0, {"layer": name})
    return TracedCascade(name, patch, cycles, (reading,), Counter())
