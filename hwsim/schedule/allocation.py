"""Where a group's buffers lie in SRAM."""

from collections.abc import Mapping
from dataclasses import dataclass

from accelerators import Accelerator
from hwsim.schedule.footprint import held_rows, held_window, prepared_blocks, weight_slots
from hwsim.schedule.groups import Group, is_reduction, is_remap
from hwsim.schedule.layout import parameter_bytes, weight_bytes
from hwsim.schedule.program import Tiling
from hwsim.schedule.storage import Block, LineBuffer, pixel_bytes, round_up
from hwsim.schedule.vector_constants import constants_bytes
from quant.graph import Convolution, Node, Size, TensorType


@dataclass(frozen=True, slots=True)
class Allocation:
    """A group's buffers in SRAM.

    Attributes:
        input: rows of the input of an anchor that reads a window of them, else None.
        operands: rows of the tensors other operators read from DRAM, by name.
        pixels: single pixels that stay, by name.
        outputs: rows of the tensors computed in the group, by name.
        weights: one block, or two that take turns.
        parameters: as ``weights``.
        vectors: constants of operators of the vector unit, and decode tables, by node name.
        prepared: what a scaled convolution makes once of weights or tables: for each of
            ``weights``, one for all of them, or none.
        size_bytes: SRAM used.
    """

    input: LineBuffer | None
    operands: dict[str, LineBuffer]
    pixels: dict[str, LineBuffer]
    outputs: dict[str, LineBuffer]
    weights: tuple[Block, ...]
    parameters: tuple[Block, ...]
    vectors: dict[str, Block]
    prepared: tuple[Block, ...]
    size_bytes: int


def allocate(
    group: Group,
    tiling: Tiling,
    types: Mapping[str, TensorType],
    sizes: Mapping[str, Size],
    accelerator: Accelerator,
) -> Allocation:
    """Lay a group's buffers out in SRAM for a tiling, without asking whether they fit.

    `Footprint.size_bytes` is the size alone.
    """
    arena = Arena(accelerator.sram.word_bits // 8)
    rows = held_rows(group.grid, tiling.rows, tiling.columns)
    ifm = _input_buffer(arena, group, tiling, types, sizes) if group.is_windowed else None
    weights, parameters = _weight_blocks(arena, group.convolution, tiling.channels)
    operands = {
        name: arena.rows(f"{name} (operand)", types[name], tiling.columns, rows)
        for name in group.streamed
    }
    pixels = {name: arena.rows(f"{name} (pixel)", types[name], 1, 1) for name in group.pixels}
    outputs = {
        node.name: _output_buffer(arena, node, tiling.columns, rows)
        for node in group.nodes
        if not is_remap(node)
    }
    vectors = {
        node.name: arena.block(f"{node.name} (constants)", size_bytes)
        for node in group.nodes
        if (size_bytes := constants_bytes(node.operator, node.output))
    }
    prepared = prepared_blocks(group.convolution, tiling.channels, accelerator)
    return Allocation(
        ifm,
        operands,
        pixels,
        outputs,
        weights,
        parameters,
        vectors,
        tuple(arena.block(f"prepared {n}", prepared.size_bytes) for n in range(prepared.number)),
        arena.used_bytes,
    )


def _input_buffer(
    arena: "Arena",
    group: Group,
    tiling: Tiling,
    types: Mapping[str, TensorType],
    sizes: Mapping[str, Size],
) -> LineBuffer:
    """The ring of an anchor's input, for its widest window."""
    source = group.anchor.inputs[0]
    rows, columns = held_window(group, tiling.rows, tiling.columns, sizes[source])
    return arena.rows(f"{source} (input)", types[source], columns, rows)


def _weight_blocks(
    arena: "Arena", convolution: Convolution | None, channels: int
) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """Weights and parameters: one block when all of them stay, else two that take turns."""
    if convolution is None:
        return (), ()
    slots = range(weight_slots(convolution, channels))
    size_bytes = weight_bytes(convolution, channels)
    weights = tuple(arena.block(f"weights {n}", size_bytes) for n in slots)
    size_bytes = parameter_bytes(convolution, channels)
    return weights, tuple(arena.block(f"parameters {n}", size_bytes) for n in slots)


def _output_buffer(arena: "Arena", node: Node, columns: int, capacity: int) -> LineBuffer:
    if is_reduction(node):
        return arena.rows(node.name, node.output, 1, 1)
    return arena.rows(node.name, node.output, columns, capacity)


class Arena:
    """SRAM handed out from address 0 on, every piece on a word."""

    def __init__(self, word_bytes: int) -> None:
        self.word_bytes = word_bytes
        self.used_bytes = 0

    def block(self, name: str, size_bytes: int) -> Block:
        """The next bytes, for constants."""
        block = Block(name, self.used_bytes, size_bytes)
        self.used_bytes += round_up(size_bytes, self.word_bytes)
        return block

    def rows(self, name: str, tensor: TensorType, columns: int, capacity: int) -> LineBuffer:
        """The next bytes, for a ring of rows."""
        row_bytes = round_up(
            columns * pixel_bytes(tensor.channels, tensor.integer), self.word_bytes
        )
        buffer = LineBuffer(
            name, self.used_bytes, capacity, row_bytes, tensor.channels, tensor.integer
        )
        self.used_bytes += buffer.size_bytes
        return buffer
