"""What is decided before any command exists: groups, cascades, how they are cut, room in SRAM."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from accelerators import Accelerator
from hwsim.schedule.accumulators import check_accumulators
from hwsim.schedule.allocation import Allocation, allocate
from hwsim.schedule.cascade import Cascade, Reaches, Walk
from hwsim.schedule.cascade_places import (
    CascadeAllocation,
    allocate_cascade,
    ring_rows,
    ring_widths,
)
from hwsim.schedule.commands import Command
from hwsim.schedule.datapaths import check_datapath
from hwsim.schedule.emit import emit_group
from hwsim.schedule.emit_cascade import emit_cascade
from hwsim.schedule.expansion import expanded
from hwsim.schedule.groups import Group, Readers, ScheduleError, form_groups, split_copies
from hwsim.schedule.layout import GroupConstants, place_constants, place_tensors
from hwsim.schedule.objective import Aim
from hwsim.schedule.optimizer import Network, Part, best_parts
from hwsim.schedule.program import ScheduledGroup, Tiling
from hwsim.schedule.shapes import Memory, Shape, Shapes
from hwsim.schedule.storage import DramTensor
from hwsim.schedule.tiling import Problem, dram_traffic_bytes
from hwsim.schedule.walk_figures import CascadeProblem, cascade_traffic_bytes
from quant.graph import Graph, Node, Size, TensorType

LARGEST_IMAGE_PIXELS = 2**24
"""Pixels of the largest image that is scheduled; this project's choice.

A program's commands are held in memory. Measured with EDSR-baseline x2 on edge_npu: 0.47 commands a
pixel, 260 bytes a command, so 2 GiB at this limit and 200 GiB for 40 000 x 40 000 pixels.
"""


class Plan(Protocol):
    """One or several groups that run together, and how they are cut."""

    @property
    def groups(self) -> Sequence[Group]:
        """The groups."""

    @property
    def nodes(self) -> Sequence[Node]:
        """Their nodes."""

    @property
    def stored(self) -> Sequence[Node]:
        """Nodes whose tensor goes to DRAM."""

    @property
    def tensors(self) -> Mapping[str, DramTensor]:
        """The tensors that visit DRAM, as they were placed for planning."""

    @property
    def traffic_bytes(self) -> int:
        """Bytes they move over the DRAM bus."""

    def constants(self, address: int) -> list[GroupConstants]:
        """Where constants of each group lie in DRAM when they are laid out from an address on."""

    def commands(
        self, first: int, constants: Sequence[GroupConstants], tensors: Mapping[str, DramTensor]
    ) -> Iterator[Command]:
        """Their commands; the first group is number ``first`` of its program."""

    def describe(self, cascade: int) -> list[ScheduledGroup]:
        """The groups as programs and reports show them."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupPlan:
    """A group of operators that runs alone.

    Attributes:
        problem: the operators, their tensors and the machine.
        tiling: how the output is cut.
        shape: all that its commands and their costs depend on.
    """

    problem: Problem
    tiling: Tiling
    shape: Shape

    @property
    def groups(self) -> Sequence[Group]:
        """See `Plan`."""
        return (self.problem.group,)

    @property
    def nodes(self) -> Sequence[Node]:
        """See `Plan`."""
        return self.problem.group.nodes

    @property
    def stored(self) -> Sequence[Node]:
        """See `Plan`."""
        return self.problem.group.stored

    @property
    def tensors(self) -> Mapping[str, DramTensor]:
        """See `Plan`."""
        return self.problem.tensors

    @property
    def traffic_bytes(self) -> int:
        """See `Plan`."""
        return dram_traffic_bytes(self.problem, self.tiling)

    def constants(self, address: int) -> list[GroupConstants]:
        """See `Plan`."""
        burst_bytes = self.problem.accelerator.dram.burst_bytes
        return [place_constants(self.problem.group, self.tiling.channels, address, burst_bytes)]

    def commands(
        self, first: int, constants: Sequence[GroupConstants], tensors: Mapping[str, DramTensor]
    ) -> Iterator[Command]:
        """See `Plan`."""
        problem = self.problem
        placed = Problem(problem.group, problem.types, problem.sizes, tensors, problem.accelerator)
        return emit_group(first, placed, self.tiling, self._allocation(), constants[0])

    def describe(self, cascade: int) -> list[ScheduledGroup]:
        """See `Plan`."""
        size_bytes = self._allocation().size_bytes
        types, group = self.problem.types, self.problem.group
        shape = (self.shape, 0)
        return [_described(group, types, self.tiling, cascade, size_bytes, shape)]

    def _allocation(self) -> Allocation:
        problem = self.problem
        return allocate(
            problem.group, self.tiling, problem.types, problem.sizes, problem.accelerator
        )


@dataclass(frozen=True, slots=True, eq=False)
class CascadePlan:
    """Groups that run together.

    Attributes:
        problem: the cascade, its tensors and the machine.
        walk: how it is cut.
        sizes: heights and widths by node name.
        shape: all that its commands and their costs depend on.
    """

    problem: CascadeProblem
    walk: Walk
    sizes: Mapping[str, Size]
    shape: Shape

    @property
    def cascade(self) -> Cascade:
        """The stages."""
        return self.problem.cascade

    @property
    def groups(self) -> Sequence[Group]:
        """See `Plan`."""
        return self.cascade.groups

    @property
    def nodes(self) -> Sequence[Node]:
        """See `Plan`."""
        return [node for group in self.groups for node in group.nodes]

    @property
    def stored(self) -> Sequence[Node]:
        """See `Plan`."""
        names = {store.tensor for store in self.cascade.stores}
        return [node for node in self.nodes if node.name in names]

    @property
    def tensors(self) -> Mapping[str, DramTensor]:
        """See `Plan`."""
        return self.problem.tensors

    @property
    def traffic_bytes(self) -> int:
        """See `Plan`."""
        return cascade_traffic_bytes(self.problem, self.walk)

    def constants(self, address: int) -> list[GroupConstants]:
        """See `Plan`."""
        placed: list[GroupConstants] = []
        for group in self.groups:
            channels = group.convolution.out_channels if group.convolution is not None else 1
            burst_bytes = self.problem.accelerator.dram.burst_bytes
            placed.append(place_constants(group, channels, address, burst_bytes))
            address = placed[-1].end
        return placed

    def commands(
        self, first: int, constants: Sequence[GroupConstants], tensors: Mapping[str, DramTensor]
    ) -> Iterator[Command]:
        """See `Plan`."""
        return emit_cascade(
            first, self.cascade, self.walk, self._allocation(), constants, tensors, self.sizes
        )

    @property
    def sram_bytes(self) -> int:
        """SRAM that its buffers occupy."""
        return self._allocation().size_bytes

    def describe(self, cascade: int) -> list[ScheduledGroup]:
        """See `Plan`."""
        size_bytes = self.sram_bytes
        described = []
        for stage, group in enumerate(self.groups):
            ratio, convolution = self.cascade.ratios[stage], group.convolution
            tiling = Tiling(
                min(self.walk.columns * ratio, group.grid.width),
                min(self.walk.rows * ratio, group.grid.height),
                convolution.out_channels if convolution is not None else 1,
            )
            shape = (self.shape, stage)
            types = self.problem.types
            described.append(_described(group, types, tiling, cascade, size_bytes, shape))
        return described

    def _allocation(self) -> CascadeAllocation:
        cascade, walk = self.cascade, self.walk
        reaches = Reaches(cascade, walk.rows, walk.ahead)
        widths = ring_widths(cascade, reaches, walk.columns)
        rings = {
            name: (rows, widths[name]) for name, rows in ring_rows(cascade, reaches, walk.rows)
        }
        return allocate_cascade(cascade, rings, self.problem.types, self.problem.accelerator)


def _described(
    group: Group,
    types: Mapping[str, TensorType],
    tiling: Tiling,
    cascade: int,
    size_bytes: int,
    shape: object,
) -> ScheduledGroup:
    convolution = group.convolution
    return ScheduledGroup(
        group.anchor.name,
        tuple(node.name for node in group.nodes),
        tuple(node.operator.kind for node in group.nodes),
        tiling,
        cascade,
        size_bytes,
        convolution.macs_per_pixel * group.grid.pixels if convolution else 0,
        convolution.weight_type.bits if convolution else None,
        types[group.anchor.inputs[0]].integer.bits,
        shape,
    )


def plan_network(
    graph: Graph,
    accelerator: Accelerator,
    image: Size,
    memory: Memory | None = None,
) -> list[Plan]:
    """Cut a graph into groups, put groups into cascades, and cut each into tiles.

    Args:
        graph: a verified graph.
        accelerator: the machine.
        image: height and width of the input image.
        memory: what was found so far on this machine; what is found is added.

    Raises:
        ScheduleError: the image is too large, accumulators are not what the graph needs, or no tile
            of an operator fits SRAM.
        GraphError: the image is too small for the graph.
    """
    memory = Memory() if memory is None else memory
    network, shapes = prepare(graph, accelerator, image, memory)
    return [plan_part(network, shapes, part) for part in best_parts(network, shapes, memory)]


def prepare(
    graph: Graph, accelerator: Accelerator, image: Size, memory: Memory
) -> tuple[Network, Shapes]:
    """What the division of a graph into parts starts from.

    Tensors are placed in DRAM as if there were no constants before them, which is enough for
    everything but addresses.

    Args:
        graph: a verified graph.
        accelerator: the machine.
        image: height and width of the input image.
        memory: what was found so far on this machine.

    Raises:
        ScheduleError: the image is too large, or accumulators are not what the graph needs.
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
    fusion = accelerator.scheduling.fusion
    readers = Readers(graph)
    apart = split_copies(readers, groups, sizes) if fusion else list(enumerate(groups))
    origins, divided = [origin for origin, _ in apart], [group for _, group in apart]
    network = Network(
        divided, origins, readers, types, sizes, tensors, accelerator, Aim.of(accelerator)
    )
    return network, Shapes(graph, divided, sizes, memory)


def plan_part(network: Network, shapes: Shapes, part: Part) -> Plan:
    """A part of a network, as it was cut."""
    types, tensors, accelerator = network.types, network.tensors, network.accelerator
    if isinstance(part.cut, Tiling):
        (group,) = network.joined(part.first, part.last)
        problem = Problem(group, types, network.sizes, tensors, accelerator)
        return GroupPlan(problem, part.cut, part.shape)
    cascade = network.cascade(shapes, part.first, part.last)
    assert cascade is not None
    of_cascade = CascadeProblem(cascade, types, tensors, accelerator)
    return CascadePlan(of_cascade, part.cut, network.sizes, part.shape)
