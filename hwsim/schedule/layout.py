"""Where things lie: feature maps and constants in DRAM, buffers in SRAM."""

from collections.abc import Mapping
from dataclasses import dataclass

from accelerators import Accelerator
from hwsim.schedule.groups import Group
from hwsim.schedule.program import Tiling
from hwsim.schedule.storage import (
    PARAMETER_BYTES,
    Block,
    DramTensor,
    LineBuffer,
    ceil_divide,
    pixel_bytes,
    round_up,
)
from quant.graph import Convolution, Graph, Node, PixelShuffle, Size, TensorType


def place_tensors(
    graph: Graph, groups: tuple[Group, ...], sizes: Mapping[str, Size], burst_bytes: int, base: int
) -> tuple[dict[str, DramTensor], int]:
    """Give every feature map that visits DRAM an address, reusing the space of dead ones.

    A tensor lives from the group that stores it to the last group that reads it; the image lives
    from the start and the output to the end. Tensors are placed in order of birth at the lowest
    address that is free for their whole life.

    Returns:
        The tensors by node name, and the size of the DRAM image in bytes.
    """
    last_read = _last_reads(graph, groups)
    placed: dict[str, DramTensor] = {}
    death: dict[str, int] = {}
    top = base
    births = [(-1, graph.input)] + [
        (index, node) for index, group in enumerate(groups) for node in group.stored
    ]
    for birth, node in births:
        row_bytes = round_up(
            sizes[node.name].width * pixel_bytes(node.output.channels, node.output.integer),
            burst_bytes,
        )
        alive = sorted(
            (placed[name].address, placed[name].address + placed[name].size_bytes)
            for name in placed
            if death[name] >= birth
        )
        address = _lowest_gap(alive, sizes[node.name].height * row_bytes, base)
        placed[node.name] = DramTensor(
            node.name,
            address,
            sizes[node.name],
            node.output.channels,
            node.output.integer,
            row_bytes,
        )
        death[node.name] = last_read[node.name]
        top = max(top, address + placed[node.name].size_bytes)
    return placed, top


def _last_reads(graph: Graph, groups: tuple[Group, ...]) -> dict[str, int]:
    last = {node.name: -1 for node in graph.nodes}
    for index, group in enumerate(groups):
        for node in group.nodes:
            last[node.name] = max(last[node.name], index)
            for name in node.inputs:
                last[name] = index
    last[graph.output] = len(groups)
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


@dataclass(frozen=True, slots=True)
class WeightBlock:
    """The constants of some output channels: where they lie in DRAM and how long they are."""

    first_channel: int
    channels: int
    address: int
    weight_bytes: int
    parameter_address: int
    parameter_bytes: int


def weight_blocks(group: Group, channels: int, base: int, burst_bytes: int) -> list[WeightBlock]:
    """Cut a convolution's constants into blocks of output channels, laid out from ``base`` on.

    Weights and parameter records of a block start on a burst each, the records behind the weights.
    """
    convolution = group.convolution
    if convolution is None:
        return []
    blocks: list[WeightBlock] = []
    for first in range(0, convolution.out_channels, channels):
        count = min(channels, convolution.out_channels - first)
        size_bytes = weight_bytes(convolution, count)
        parameter_address = base + round_up(size_bytes, burst_bytes)
        parameter_bytes = count * PARAMETER_BYTES
        blocks.append(
            WeightBlock(first, count, base, size_bytes, parameter_address, parameter_bytes)
        )
        base = parameter_address + round_up(parameter_bytes, burst_bytes)
    return blocks


@dataclass(frozen=True, slots=True)
class Allocation:
    """A group's buffers in SRAM.

    Attributes:
        input: rows of the anchor convolution's input, None without a convolution.
        operands: rows of the tensors elementwise operators read from DRAM, by name.
        outputs: rows of the tensors computed in the group, by name.
        weights: one block, or two that take turns.
        parameters: as ``weights``.
        size_bytes: SRAM used.
    """

    input: LineBuffer | None
    operands: dict[str, LineBuffer]
    outputs: dict[str, LineBuffer]
    weights: tuple[Block, ...]
    parameters: tuple[Block, ...]
    size_bytes: int


def allocate(
    group: Group,
    tiling: Tiling,
    types: Mapping[str, TensorType],
    sizes: Mapping[str, Size],
    accelerator: Accelerator,
) -> Allocation:
    """Lay a group's buffers out in SRAM for a tiling, without asking whether they fit.

    Every buffer that a transfer fills or drains holds the rows of two steps, so that the next
    step's rows arrive and the last step's leave while this step computes.
    """
    arena = _Arena(accelerator.sram.word_bits // 8)
    output = sizes[group.anchor.inputs[0] if _is_shuffle(group.anchor) else group.anchor.name]
    steps = ceil_divide(output.height, tiling.rows) * ceil_divide(output.width, tiling.columns)
    turns = min(2, steps)
    convolution = group.convolution
    ifm: LineBuffer | None = None
    weights: tuple[Block, ...] = ()
    parameters: tuple[Block, ...] = ()
    if convolution is not None:
        source = group.anchor.inputs[0]
        kernel_height, kernel_width = convolution.kernel
        ifm = arena.rows(
            f"{source} (input)",
            types[source],
            min(tiling.columns + kernel_width - 1, sizes[source].width),
            _input_rows(tiling, output, sizes[source], kernel_height),
        )
        slots = 1 if tiling.channels >= convolution.out_channels else 2
        size_bytes = weight_bytes(convolution, tiling.channels)
        weights = tuple(arena.block(f"weights {n}", size_bytes) for n in range(slots))
        parameters = tuple(
            arena.block(f"parameters {n}", tiling.channels * PARAMETER_BYTES) for n in range(slots)
        )
    operands = {
        name: arena.rows(f"{name} (operand)", types[name], tiling.columns, turns * tiling.rows)
        for name in group.loaded
    }
    outputs = {
        node.name: arena.rows(node.name, node.output, tiling.columns, turns * tiling.rows)
        for node in group.nodes
        if not _is_shuffle(node)
    }
    return Allocation(ifm, operands, outputs, weights, parameters, arena.used_bytes)


def _input_rows(tiling: Tiling, output: Size, ifm: Size, kernel_height: int) -> int:
    """Rows a convolution's input ring holds: this step's window and what the next step adds."""
    window = min(tiling.rows + kernel_height - 1, ifm.height)
    if tiling.columns < output.width:
        return 2 * window
    return min(ifm.height, window + tiling.rows)


def _is_shuffle(node: Node) -> bool:
    return isinstance(node.operator, PixelShuffle)


class _Arena:
    """SRAM handed out from address 0 on, every piece on a word."""

    def __init__(self, word_bytes: int) -> None:
        self.word_bytes = word_bytes
        self.used_bytes = 0

    def block(self, name: str, size_bytes: int) -> Block:
        block = Block(name, self.used_bytes, size_bytes)
        self.used_bytes += round_up(size_bytes, self.word_bytes)
        return block

    def rows(self, name: str, tensor: TensorType, columns: int, capacity: int) -> LineBuffer:
        row_bytes = round_up(
            columns * pixel_bytes(tensor.channels, tensor.integer), self.word_bytes
        )
        buffer = LineBuffer(
            name, self.used_bytes, capacity, row_bytes, tensor.channels, tensor.integer
        )
        self.used_bytes += buffer.size_bytes
        return buffer
