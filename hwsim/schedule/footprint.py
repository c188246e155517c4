"""How much SRAM a group's buffers take, for the many tilings that are tried.

`hwsim.schedule.allocation` gives the same buffers their places.
"""

from collections.abc import Callable, Mapping
from functools import cache
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
        self._group, self._types, self._sizes = group, types, sizes
        self._accelerator, self._word_bytes = accelerator, accelerator.sram.word_bits // 8
        made = [node for node in group.nodes if not is_remap(node)]
        rings = [*group.streamed, *(node.name for node in made if not is_reduction(node))]
        singles = [*group.pixels, *(node.name for node in made if is_reduction(node))]
        self._ring_pixel_bytes = [self._pixel_bytes(name) for name in rings]
        self._single_bytes = sum(self._row_bytes(self._pixel_bytes(name)) for name in singles)
        self._constants: Callable[[int], int] = cache(self._constant_bytes)
        self._rings: Callable[[int], int] = cache(self._ring_row_bytes)
        self._window: Callable[[int, int], int] = cache(self._window_bytes)

    def size_bytes(self, tiling: Tiling) -> int:
        """Bytes of all buffers, each row and each block of constants on a word."""
        rows = held_rows(self._group.grid, tiling.rows, tiling.columns)
        rings = rows * self._rings(tiling.columns)
        window = self._window(tiling.rows, tiling.columns)
        return rings + window + self._single_bytes + self._constants(tiling.channels)

    def _constant_bytes(self, channels: int) -> int:
        """Bytes of weights, records, what is prepared of them, and other constants."""
        convolution, word_bytes = self._group.convolution, self._word_bytes
        total = vector_bytes(self._group, word_bytes)
        if convolution is None:
            return total
        slots = weight_slots(convolution, channels)
        prepared = prepared_blocks(convolution, channels, self._accelerator)
        total += prepared.number * round_up(prepared.size_bytes, word_bytes)
        return total + slots * block_bytes(convolution, channels, word_bytes)

    def _ring_row_bytes(self, columns: int) -> int:
        """Bytes of a row of so many pixels of each tensor that is there tile by tile."""
        return sum(self._row_bytes(columns * each) for each in self._ring_pixel_bytes)

    def _window_bytes(self, step_rows: int, strip_columns: int) -> int:
        if not self._group.is_windowed:
            return 0
        source = self._group.anchor.inputs[0]
        rows, columns = held_window(self._group, step_rows, strip_columns, self._sizes[source])
        return rows * self._row_bytes(columns * self._pixel_bytes(source))

    def _pixel_bytes(self, name: str) -> int:
        kind = self._types[name]
        return pixel_bytes(kind.channels, kind.integer)

    def _row_bytes(self, size_bytes: int) -> int:
        return round_up(size_bytes, self._word_bytes)
