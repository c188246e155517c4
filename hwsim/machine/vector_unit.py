"""What the vector unit does: operators on tiles, with the constants that SRAM holds."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.geometry import interpolation
from hwsim.arithmetic.normalization import joined_summaries
from hwsim.arithmetic.resampling import interpolate
from hwsim.machine.arithmetic import at_least_int32
from hwsim.machine.kernel_operators import KERNELS
from hwsim.machine.memory import Sram
from hwsim.machine.rows import Integers, read_rows, write_rows
from hwsim.schedule.commands import Accumulate, Elementwise, Interpolate
from hwsim.schedule.vector_constants import unpack_constants
from quant.graph import BilinearResize, Operator


class VectorUnit:
    """Executes operators that work element by element, between rows, or over all tiles."""

    def __init__(self, sram: Sram) -> None:
        self._sram = sram
        self._operators: dict[str, tuple[bytes, Operator]] = {}

    def elementwise(self, command: Elementwise) -> None:
        """An operator on a tile."""
        types = [rows.buffer.type for rows in command.inputs]
        operands = [read_rows(self._sram, rows) for rows in command.inputs]
        result = KERNELS.compute(self._operator(command), types, operands)
        write_rows(self._sram, command.output, result)

    def interpolate(self, command: Interpolate) -> None:
        """A tile of a bilinear resize."""
        resize = self._operator(command)
        assert isinstance(resize, BilinearResize)
        down, across = (
            _tile_positions(resize, extent, source, target, count)
            for extent, source, target, count in zip(
                (command.size.height, command.size.width),
                command.source,
                command.target,
                (command.output.count, command.output.columns),
                strict=True,
            )
        )
        codes = at_least_int32(read_rows(self._sram, command.input))
        result = interpolate(codes, down, across, resize.bias, resize.requantization)
        write_rows(self._sram, command.output, result)

    def accumulate(self, command: Accumulate) -> None:
        """A tile's share of a statistic, joined with that of the tiles before it."""
        statistics = command.operator
        tile = read_rows(self._sram, command.input)
        share = KERNELS.compute(statistics, [command.input.buffer.type], [tile])
        if not command.first:
            share = _JOINED[statistics.statistic](read_rows(self._sram, command.output), share)
        write_rows(self._sram, command.output, share)

    def _operator(self, command: Elementwise | Interpolate) -> Operator:
        """A command's operator, with the constants that SRAM holds now."""
        if command.constants is None:
            return command.operator
        octets = self._sram.read_block(command.constants).tobytes()
        known = self._operators.get(command.node)
        if known is None or known[0] != octets:
            constants = np.frombuffer(octets, np.uint8)
            operator = unpack_constants(command.operator, command.output.buffer.type, constants)
            known = self._operators[command.node] = octets, operator
        return known[1]


def _tile_positions(
    resize: BilinearResize, extent: int, source: int, target: int, count: int
) -> NDArray[np.int64]:
    """Between which rows or columns of its input a tile's outputs lie; int64 [3, count]."""
    whole = interpolation(extent, resize.factor, resize.half_pixel_centers)
    return np.asarray(whole[:, target : target + count] - np.array([[source], [source], [0]]))


_JOINED: dict[str, Callable[[Integers, Integers], Any]] = {
    "sum": np.add,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "summary": joined_summaries,
}
"""What the statistics of two tiles become, by name."""
