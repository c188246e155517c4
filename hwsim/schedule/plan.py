"""What is decided before any command exists: groups, tilings, and room in SRAM."""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass

from accelerators import Accelerator
from hwsim.schedule.accumulators import check_accumulators
from hwsim.schedule.allocation import Allocation, allocate
from hwsim.schedule.commands import Command
from hwsim.schedule.datapaths import check_datapath
from hwsim.schedule.emit import emit_group
from hwsim.schedule.expansion import expanded
from hwsim.schedule.groups import ScheduleError, form_groups
from hwsim.schedule.layout import GroupConstants, place_constants, place_tensors
from hwsim.schedule.program import ScheduledGroup, Tiling
from hwsim.schedule.tiling import Problem, choose_tiling
from hwsim.schedule.vector_constants import constants_bytes
from quant.graph import (
    BilinearResize,
    Convolution,
    Graph,
    NearestResize,
    Node,
    PixelShuffle,
    ScaledConvolution,
    Size,
    Statistics,
)

Shape = tuple[object, ...]

LARGEST_IMAGE_PIXELS = 2**24
"""Pixels of the largest image that is scheduled; this project's choice.

A program's commands are held in memory. Measured with EDSR-baseline x2 on edge_npu: 0.47 commands a
pixel, 260 bytes a command, so 2 GiB at this limit and 200 GiB for 40 000 x 40 000 pixels.
"""


@dataclass(frozen=True, slots=True, eq=False)
class GroupPlan:
    """A group of operators and how it will be cut.

    Attributes:
        problem: the operators, their tensors and the machine.
        tiling: how the output is cut.
        shape: as in `ScheduledGroup`.
    """

    problem: Problem
    tiling: Tiling
    shape: Shape

    def constants(self, address: int) -> GroupConstants:
        """Where the group's constants lie in DRAM when they are laid out from an address on."""
        burst_bytes = self.problem.accelerator.dram.burst_bytes
        return place_constants(self.problem.group, self.tiling.channels, address, burst_bytes)

    def commands(self, index: int, constants: GroupConstants) -> Iterator[Command]:
        """The commands of the group, which is number ``index`` of its program."""
        return emit_group(index, self.problem, self.tiling, self._allocation(), constants)

    def describe(self) -> ScheduledGroup:
        """The group as programs and reports show it."""
        problem, group = self.problem, self.problem.group
        convolution = group.convolution
        return ScheduledGroup(
            group.anchor.name,
            tuple(node.name for node in group.nodes),
            tuple(node.operator.kind for node in group.nodes),
            self.tiling,
            self._allocation().size_bytes,
            convolution.macs_per_pixel * problem.grid.pixels if convolution else 0,
            convolution.weight_type.bits if convolution else None,
            problem.types[group.anchor.inputs[0]].integer.bits,
            self.shape,
        )

    def _allocation(self) -> Allocation:
        problem = self.problem
        return allocate(
            problem.group, self.tiling, problem.types, problem.sizes, problem.accelerator
        )


def plan_groups(
    graph: Graph,
    accelerator: Accelerator,
    image: Size,
    tilings: MutableMapping[Shape, Tiling] | None = None,
) -> list[GroupPlan]:
    """Cut a graph into groups and each group into tiles.

    Tensors are placed in DRAM as if there were no constants before them, which is enough for
    everything but addresses.

    Args:
        graph: a verified graph.
        accelerator: the machine.
        image: height and width of the input image.
        tilings: tilings found so far on this machine, by shape; new ones are added.

    Raises:
        ScheduleError: the image is too large, accumulators are not what the graph needs, or no tile
            of an operator fits SRAM.
        GraphError: the image is too small for the graph.
    """
    if image.pixels > LARGEST_IMAGE_PIXELS:
        raise ScheduleError(
            f"image size: expected at most {LARGEST_IMAGE_PIXELS} pixels (4096×4096), because all "
            f"commands for an image are held in memory, given {image}; cut the image into parts"
        )
    graph = expanded(graph)
    sizes = graph.sizes(image)
    types = {node.name: node.output for node in graph.nodes}
    check_accumulators(graph, accelerator)
    check_datapath(graph, accelerator)
    groups = form_groups(graph, sizes)
    tensors, _ = place_tensors(graph, groups, sizes, accelerator.dram.burst_bytes, 0)
    known = {} if tilings is None else tilings
    plans = []
    for group in groups:
        problem = Problem(group, types, sizes, tensors, accelerator)
        shape = _shape(problem)
        if shape not in known:
            known[shape] = choose_tiling(problem)
        plans.append(GroupPlan(problem, known[shape], shape))
    return plans


def _shape(problem: Problem) -> Shape:
    """All that a tiling depends on for one accelerator: shapes, widths and wiring, not names."""
    group = problem.group
    names = list(dict.fromkeys(name for node in group.nodes for name in (*node.inputs, node.name)))
    stored = {node.name for node in group.stored}
    operators = tuple(
        (_operator_shape(node), tuple(names.index(name) for name in (*node.inputs, node.name)))
        for node in group.nodes
    )
    tensors = tuple(
        (
            problem.types[name].channels,
            problem.types[name].integer,
            problem.sizes[name],
            name in stored,
        )
        for name in names
    )
    return operators, tensors


def _operator_shape(node: Node) -> Shape:
    """What commands of an operator and their costs depend on, beside its tensors."""
    operator = node.operator
    own: Shape = ()
    match operator:
        case Convolution():
            scaled = operator if isinstance(operator, ScaledConvolution) else None
            own = (
                operator.weight.shape,
                operator.weight_type,
                operator.padding,
                operator.stride,
                operator.dilation,
                operator.groups,
                operator.tap_offset is not None,
                scaled and (scaled.placement, scaled.is_centred, scaled.points.shape),
            )
        case Statistics():
            own = (operator.statistic,)
        case PixelShuffle() | NearestResize():
            own = (operator.factor,)
        case BilinearResize():
            own = (operator.factor, operator.half_pixel_centers)
    return operator.kind, constants_bytes(operator, node.output), *own
