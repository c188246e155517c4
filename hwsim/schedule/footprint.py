"""How much SRAM a group's buffers take, for the many tilings that are tried.

`hwsim.schedule.allocation` gives the same buffers their places.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

from accelerators import Accelerator
from hwsim.schedule.group_work import convolution_settings
from hwsim.schedule.groups import Group, is_reduction, is_remap
from hwsim.schedule.layout import block_bytes, vector_bytes
from hwsim.schedule.program import Tiling
from hwsim.schedule.scaled_array_work import ScaledArrayWork
from hwsim.schedule.storage import ceil_divide, pixel_bytes, round_up
from hwsim.schedule.windows import input_axes
from quant.graph import Convolution, ScaledConvolution, Size, TensorType


class Blocks(NamedTuple):
    """Blocks of constants that take turns.

    Attributes:
        number: how many there are.
        size_bytes: of each.
    """

    number: int
    size_bytes: int


class Window(NamedTuple):
    """What SRAM holds of the input of an anchor that reads a window of it."""

    rows: int
    columns: int


def weight_slots(convolution: Convolution | None, channels: int) -> int:
    """Blocks of weights in SRAM: one when all of them stay, else two that take turns."""
    if convolution is None:
        return 0
    return 1 if channels >= convolution.out_channels else 2


def prepared_blocks(
    convolution: Convolution | None, channels: int, accelerator: Accelerator
) -> Blocks:
    """What a scaled convolution makes of its weights or tables, once for each block of them."""
    if not isinstance(convolution, ScaledConvolution):
        return Blocks(0, 0)
    work = convolution_settings(convolution).work(1, min(channels, convolution.out_channels), 0)
    assert isinstance(work, ScaledArrayWork)
    size_bytes = work.prepared_bytes(accelerator)
    slots = 1 if convolution.placement == "activations" else weight_slots(convolution, channels)
    return Blocks(slots if size_bytes else 0, size_bytes)


def held_rows(grid: Size, step_rows: int, strip_columns: int) -> int:
    """Rows of each tensor but the input of windows: those of two steps, if there are two.

    So the next step's rows arrive and the last step's leave while this step computes.
    """
    steps = ceil_divide(grid.height, step_rows) * ceil_divide(grid.width, strip_columns)
    return min(2, steps) * step_rows


def held_window(group: Group, step_rows: int, strip_columns: int, size: Size) -> Window:
    """Of a windowed anchor's input: a step's window and the rows that the next step adds.

    Across two strips, the next step's window begins anew.

    Args:
        group: with a windowed anchor.
        step_rows: output rows of a step.
        strip_columns: output columns of a strip.
        size: of the input.
    """
    down, across = input_axes(group.anchor.operator, size)
    window = min(down.reach(step_rows), size.height)
    rows = min(window + down.advance(step_rows), size.height)
    if strip_columns < group.grid.width:
        rows = max(2 * window, rows)
    return Window(rows, min(across.reach(strip_columns), size.width))


class Footprint:
    """SRAM that the buffers of one group take under any tiling.

    Each part of it is worked out once for all tilings that agree in what it depends on.
    """

    def __init__(
        self,
        group: Group,
        types: Mapping[str, TensorType],
        sizes: Mapping[str, Size],
        accelerator: Accelerator,
    ) -> None:
        word_bytes = accelerator.sram.word_bits // 8
        made = [node for node in group.nodes if not is_remap(node)]
        rings = [*group.streamed, *(node.name for node in made if not is_reduction(node))]
        singles = [*group.pixels, *(node.name for node in made if is_reduction(node))]
        self._grid = group.grid
        self._single_bytes = _row_bytes([types[name] for name in singles], word_bytes, 1)
        self._ring_row_bytes: Callable[[int], int] = cache(
            partial(_row_bytes, [types[name] for name in rings], word_bytes)
        )
        self._window_bytes: Callable[[int, int], int] = cache(
            partial(_window_bytes, group, types, sizes, word_bytes)
        )
        self._constant_bytes: Callable[[int], int] = cache(
            partial(_constant_bytes, group, accelerator, word_bytes)
        )

    def size_bytes(self, tiling: Tiling) -> int:
        """Bytes of all buffers, each row and each block of constants on a word."""
        rows, columns = tiling.rows, tiling.columns
        rings = held_rows(self._grid, rows, columns) * self._ring_row_bytes(columns)
        moved = rings + self._window_bytes(rows, columns)
        return moved + self._single_bytes + self._constant_bytes(tiling.channels)


def _row_bytes(kinds: Sequence[TensorType], word_bytes: int, columns: int) -> int:
    """Bytes of a row of so many pixels of each of some tensors."""
    return sum(
        round_up(columns * pixel_bytes(kind.channels, kind.integer), word_bytes) for kind in kinds
    )


def _window_bytes(
    group: Group,
    types: Mapping[str, TensorType],
    sizes: Mapping[str, Size],
    word_bytes: int,
    step_rows: int,
    strip_columns: int,
) -> int:
    """Bytes of the input of a windowed anchor, if it is one."""
    if not group.is_windowed:
        return 0
    source = group.anchor.inputs[0]
    rows, columns = held_window(group, step_rows, strip_columns, sizes[source])
    return rows * _row_bytes([types[source]], word_bytes, columns)


def _constant_bytes(group: Group, accelerator: Accelerator, word_bytes: int, channels: int) -> int:
    """Bytes of weights, records, what is prepared of them, and other constants."""
    convolution, others = group.convolution, vector_bytes(group, word_bytes)
    if convolution is None:
        return others
    prepared = prepared_blocks(convolution, channels, accelerator)
    others += prepared.number * round_up(prepared.size_bytes, word_bytes)
    return others + weight_slots(convolution, channels) * block_bytes(
        convolution, channels, word_bytes
    )
