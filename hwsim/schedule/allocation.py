"""Where a group's buffers lie in SRAM."""

from collections.abc import Mapping
from dataclasses import dataclass

from accelerators import Accelerator
from hwsim.schedule.group_work import convolution_settings
from hwsim.schedule.groups import Group, is_reduction, is_remap
from hwsim.schedule.layout import parameter_bytes, weight_bytes
from hwsim.schedule.program import Tiling
from hwsim.schedule.scaled_array_work import ScaledArrayWork
from hwsim.schedule.storage import (
    Block,
    LineBuffer,
    ceil_divide,
    pixel_bytes,
    round_up,
)
from hwsim.schedule.vector_constants import constants_bytes
from hwsim.schedule.windows import Axis, input_axes
from quant.graph import Convolution, Node, ScaledConvolution, Size, TensorType


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

    Every buffer that a transfer fills or drains holds the rows of two steps, so that the next
    step's rows arrive and the last step's leave while this step computes.
    """
    arena = Arena(accelerator.sram.word_bits // 8)
    grid = group.grid
    steps = ceil_divide(grid.height, tiling.rows) * ceil_divide(grid.width, tiling.columns)
    capacity = min(2, steps) * tiling.rows
    ifm = _input_buffer(arena, group, tiling, types, sizes) if group.is_windowed else None
    weights, parameters = _weight_slots(arena, group.convolution, tiling.channels)
    operands = {
        name: arena.rows(f"{name} (operand)", types[name], tiling.columns, capacity)
        for name in group.streamed
    }
    pixels = {name: arena.rows(f"{name} (pixel)", types[name], 1, 1) for name in group.pixels}
    outputs = {
        node.name: _output_buffer(arena, node, tiling.columns, capacity)
        for node in group.nodes
        if not is_remap(node)
    }
    vectors = {
        node.name: arena.block(f"{node.name} (constants)", size_bytes)
        for node in group.nodes
        if (size_bytes := constants_bytes(node.operator, node.output))
    }
    prepared = _prepared(arena, group.convolution, tiling.channels, len(weights), accelerator)
    return Allocation(
        ifm, operands, pixels, outputs, weights, parameters, vectors, prepared, arena.used_bytes
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
    size = sizes[source]
    down, across = input_axes(group.anchor.operator, size)
    return arena.rows(
        f"{source} (input)",
        types[source],
        min(across.reach(tiling.columns), size.width),
        _input_rows(tiling, group.grid, down, size.height),
    )


def _input_rows(tiling: Tiling, grid: Size, down: Axis, height: int) -> int:
    """Rows an anchor's input ring holds: this step's window and what the next step adds.

    Across two strips, the next step's window begins anew.
    """
    window = min(down.reach(tiling.rows), height)
    following = min(window + down.advance(tiling.rows), height)
    return following if tiling.columns >= grid.width else max(2 * window, following)


def _weight_slots(
    arena: "Arena", convolution: Convolution | None, channels: int
) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """Weights and parameters: one block when all of them stay, else two that take turns."""
    if convolution is None:
        return (), ()
    slots = 1 if channels >= convolution.out_channels else 2
    size_bytes = weight_bytes(convolution, channels)
    weights = tuple(arena.block(f"weights {n}", size_bytes) for n in range(slots))
    parameters = tuple(
        arena.block(f"parameters {n}", parameter_bytes(convolution, channels)) for n in range(slots)
    )
    return weights, parameters


def _prepared(
    arena: "Arena",
    convolution: Convolution | None,
    channels: int,
    slots: int,
    accelerator: Accelerator,
) -> tuple[Block, ...]:
    """Room for what a scaled convolution makes of its weights or tables."""
    if not isinstance(convolution, ScaledConvolution):
        return ()
    work = convolution_settings(convolution).work(1, min(channels, convolution.out_channels), 0)
    assert isinstance(work, ScaledArrayWork)
    if not (size_bytes := work.prepared_bytes(accelerator)):
        return ()
    count = 1 if convolution.placement == "activations" else slots
    return tuple(arena.block(f"prepared {n}", size_bytes) for n in range(count))


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
