"""Where feature maps and constants lie in DRAM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hwsim.schedule.groups import Group
from hwsim.schedule.storage import (
    BIAS_BYTES,
    MULTIPLIER_BYTES,
    SHIFT_BYTES,
    DramTensor,
    ceil_divide,
    pixel_bytes,
    round_up,
)
from hwsim.schedule.vector_constants import constants_bytes
from quant.graph import Convolution, Graph, Node, Size


class Part(Protocol):
    """Nodes that run before and after others, none in between: a group, or several together."""

    @property
    def nodes(self) -> Sequence[Node]:
        """Its nodes."""

    @property
    def stored(self) -> Sequence[Node]:
        """Those whose tensor goes to DRAM."""


def place_tensors(
    graph: Graph, parts: Sequence[Part], sizes: Mapping[str, Size], burst_bytes: int, base: int
) -> tuple[dict[str, DramTensor], int]:
    """Give every feature map that visits DRAM an address, reusing the space of dead ones.

    A tensor lives from the part that stores it to the last part that reads it; the image lives
    from the start and the output to the end. Tensors are placed in order of birth at the lowest
    address that is free for their whole life.

    Returns:
        The tensors by node name, and the size of the DRAM image in bytes.
    """
    last_read = _last_reads(graph, parts)
    placed: dict[str, DramTensor] = {}
    death: dict[str, int] = {}
    top = base
    births = [(-1, graph.input)] + [
        (index, node) for index, part in enumerate(parts) for node in part.stored
    ]
    for birth, node in births:
        tensor = dram_tensor(node, sizes[node.name], base, burst_bytes)
        alive = sorted(
            (placed[name].address, placed[name].address + placed[name].size_bytes)
            for name in placed
            if death[name] >= birth
        )
        tensor = replace(tensor, address=_lowest_gap(alive, tensor.size_bytes, base))
        placed[node.name] = tensor
        death[node.name] = last_read[node.name]
        top = max(top, tensor.address + tensor.size_bytes)
    return placed, top


def dram_tensor(node: Node, size: Size, address: int, burst_bytes: int) -> DramTensor:
    """A node's feature map of some height and width at an address, rows starting on bursts."""
    channels, integer = node.output.channels, node.output.integer
    row_bytes = round_up(size.width * pixel_bytes(channels, integer), burst_bytes)
    return DramTensor(node.name, address, size, channels, integer, row_bytes)


def _last_reads(graph: Graph, parts: Sequence[Part]) -> dict[str, int]:
    last = {node.name: -1 for node in graph.nodes}
    for index, part in enumerate(parts):
        for node in part.nodes:
            last[node.name] = max(last[node.name], index)
            for name in node.inputs:
                last[name] = index
    last[graph.output] = len(parts)
    return last


def _lowest_gap(alive: list[tuple[int, int]], size_bytes: int, base: int) -> int:
    address = base
    for start, end in alive:
        if address + size_bytes <= start:
            break
        address = max(address, end)
    return address


def weight_bytes(convolution: Convolution, channels: int) -> int:
    """Bytes of the packed weights of that many output channels, one bit string."""
    bits = channels * convolution.weight[0].size * convolution.weight_type.bits
    return ceil_divide(bits, 8)


def parameter_sizes(taps: int) -> tuple[int, ...]:
    """Bytes of the fields of an output channel's record: bias, multiplier, shift, tap offsets."""
    return BIAS_BYTES, MULTIPLIER_BYTES, SHIFT_BYTES, *[BIAS_BYTES] * taps


def parameter_bytes(convolution: Convolution, channels: int) -> int:
    """Bytes of the records of that many output channels."""
    offset = convolution.tap_offset
    return channels * sum(parameter_sizes(0 if offset is None else offset[0].size))


def block_bytes(convolution: Convolution, channels: int, granule: int) -> int:
    """Bytes of weights and records of that many output channels, each rounded up to a granule."""
    weights, records = weight_bytes(convolution, channels), parameter_bytes(convolution, channels)
    return round_up(weights, granule) + round_up(records, granule)


def vector_bytes(group: Group, granule: int) -> int:
    """Bytes of a group's other constants, those of each operator rounded up to a granule."""
    return sum(
        round_up(constants_bytes(node.operator, node.output), granule) for node in group.nodes
    )


@dataclass(frozen=True, slots=True)
class WeightBlock:
    """The constants of some output channels: where they lie in DRAM and how long they are."""

    first_channel: int
    channels: int
    address: int
    weight_bytes: int
    parameter_address: int
    parameter_bytes: int


@dataclass(frozen=True, slots=True)
class ConstantsPlace:
    """Where the constants of an operator of the vector unit lie in DRAM."""

    address: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GroupConstants:
    """Where the constants of a group lie in DRAM.

    Attributes:
        weights: blocks of a convolution's output channels.
        vectors: constants of operators of the vector unit, by node name.
        end: the first address behind them all that starts a burst.
    """

    weights: tuple[WeightBlock, ...]
    vectors: dict[str, ConstantsPlace]
    end: int


def place_constants(group: Group, channels: int, base: int, burst_bytes: int) -> GroupConstants:
    """Lay a group's constants out from ``base`` on: weights in blocks, then the others.

    Args:
        group: the operators.
        channels: output channels of a weight block.
        base: an address that starts a burst.
        burst_bytes: everything starts on a burst.
    """
    weights = _weight_blocks(group.convolution, channels, base, burst_bytes)
    if weights:
        last = weights[-1]
        base = round_up(last.parameter_address + last.parameter_bytes, burst_bytes)
    vectors: dict[str, ConstantsPlace] = {}
    for node in group.nodes:
        if size_bytes := constants_bytes(node.operator, node.output):
            vectors[node.name] = ConstantsPlace(base, size_bytes)
            base += round_up(size_bytes, burst_bytes)
    return GroupConstants(weights, vectors, base)


def _weight_blocks(
    convolution: Convolution | None, channels: int, base: int, burst_bytes: int
) -> tuple[WeightBlock, ...]:
    """Cut a convolution's constants into blocks of output channels, laid out from ``base`` on.

    Weights and parameter records of a block start on a burst each, the records behind the weights.
    """
    if convolution is None:
        return ()
    blocks: list[WeightBlock] = []
    for first in range(0, convolution.out_channels, channels):
        count = min(channels, convolution.out_channels - first)
        size_bytes = weight_bytes(convolution, count)
        parameter_address = base + round_up(size_bytes, burst_bytes)
        record_bytes = parameter_bytes(convolution, count)
        blocks.append(WeightBlock(first, count, base, size_bytes, parameter_address, record_bytes))
        base = parameter_address + round_up(record_bytes, burst_bytes)
    return tuple(blocks)
