"""What each type of command does to the simulated memories: one row of a table per type."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.convolution import PackedConvolution, convolve, pack_convolution
from hwsim.arithmetic.geometry import Geometry, interpolation
from hwsim.arithmetic.overflow import (
    BoundedConvolution,
    convolve_bounded,
    pack_bounded_convolution,
)
from hwsim.arithmetic.packing import pack_rows, unpack_rows, unpack_vector
from hwsim.arithmetic.resampling import interpolate
from hwsim.machine.accumulators import LayerOverflows, OverflowLog
from hwsim.machine.kernel_operators import KERNELS
from hwsim.machine.memory import Dram, Sram
from hwsim.machine.sums import octets_of_sums, sums_of_octets
from hwsim.schedule.commands import (
    Accumulate,
    Barrier,
    Command,
    Convolve,
    Elementwise,
    Interpolate,
    LoadConstants,
    LoadRows,
    StoreRows,
)
from hwsim.schedule.constants import read_parameters
from hwsim.schedule.storage import Rows, code_format, is_sum
from hwsim.schedule.vector_constants import unpack_constants
from quant.graph import (
    BilinearResize,
    NearestResize,
    Operator,
    PixelShuffle,
    Requantization,
    TensorType,
)

Codes = NDArray[np.int32]
Integers = NDArray[Any]
Constants = PackedConvolution | BoundedConvolution
"""Of a convolution, laid out for the kernels; bounded where it declares an accumulator."""


class Worker:
    """Executes commands one at a time, on memories that it shares with others.

    A convolution may use threads of its own besides, ``threads`` in all.

    Attributes:
        dram_read_bytes: payload bytes it read from DRAM so far.
        dram_write_bytes: payload bytes it wrote to DRAM so far.
    """

    def __init__(self, dram: Dram, sram: Sram, overflows: OverflowLog, threads: int) -> None:
        self.dram_read_bytes = 0
        self.dram_write_bytes = 0
        self._dram = dram
        self._sram = sram
        self._overflows = overflows
        self._threads = threads
        self._laid_out: dict[tuple[str, int], _LaidOut] = {}
        self._laid_out_group = -1
        self._operators: dict[str, tuple[bytes, Operator]] = {}
        self._scratch: dict[int, Codes] = {}
        self._actions: dict[type[Command], Callable[[Any], None]] = {
            LoadConstants: self._load_constants,
            LoadRows: self._load_rows,
            StoreRows: self._store_rows,
            Convolve: self._convolve,
            Elementwise: self._elementwise,
            Interpolate: self._interpolate,
            Accumulate: self._accumulate,
            Barrier: self._forget,
        }

    def run(self, command: Command) -> None:
        """Execute one command.

        Raises:
            MachineError: it reads SRAM that holds nothing.
            AccumulatorOverflow: it ends a group in which a sum overflowed that must not.
        """
        self._actions[type(command)](command)

    def _load_constants(self, command: LoadConstants) -> None:
        address, size_bytes = command.address, command.block.size_bytes
        self._sram.write(command.block.address, self._dram.octets[address : address + size_bytes])
        self.dram_read_bytes += size_bytes

    def _load_rows(self, command: LoadRows) -> None:
        tensor, rows = command.tensor, command.rows
        size_bytes = rows.columns * tensor.pixel_bytes
        source = tensor.pixel_address(command.row, command.column)
        for target in rows.addresses():
            self._sram.write(target, self._dram.octets[source : source + size_bytes])
            source += tensor.row_bytes
        self.dram_read_bytes += rows.count * size_bytes

    def _store_rows(self, command: StoreRows) -> None:
        if command.remap is not None:
            self._store_remapped(command, command.remap)
            return
        tensor, rows = command.tensor, command.rows
        self._sram.check_rows(rows)
        size_bytes = rows.columns * tensor.pixel_bytes
        target = tensor.pixel_address(command.row, command.column)
        for source in rows.addresses():
            octets = self._sram.octets[source : source + size_bytes]
            self._dram.octets[target : target + size_bytes] = octets
            target += tensor.row_bytes
        self.dram_write_bytes += rows.count * size_bytes

    def _store_remapped(self, command: StoreRows, remap: PixelShuffle | NearestResize) -> None:
        tensor = command.tensor
        operand = self._read(command.rows, 0)
        codes = KERNELS.compute(remap, [_type(command.rows)], [operand])
        height, width, _ = codes.shape
        targets = self._dram.row_addresses(tensor, command.row, height, command.column)
        pack_rows(codes, self._dram.octets, targets, tensor.pixel_bytes, 0, tensor.code)
        self.dram_write_bytes += height * width * tensor.pixel_bytes

    def _convolve(self, command: Convolve) -> None:
        ifm, padding = command.input, command.padding
        height = padding.top + ifm.count + padding.bottom
        width = padding.left + ifm.columns + padding.right
        tile = self._codes(0, (height, width, ifm.buffer.channels))
        pad_code = command.settings.pad_code
        tile[: padding.top] = pad_code
        tile[height - padding.bottom :] = pad_code
        interior = tile[padding.top : padding.top + ifm.count]
        interior[:, : padding.left] = pad_code
        interior[:, width - padding.right :] = pad_code
        self._read_into(ifm, interior, padding.left)
        codes = self._convolved(command, _channels_of_groups(command, tile))
        self._write(command.output, codes, command.first_channel)

    def _convolved(self, command: Convolve, tile: Codes) -> Codes:
        """Codes of a padded tile; of a declared accumulator, what overflowed is noted."""
        constants = self._constants(command)
        if isinstance(constants, PackedConvolution):
            return convolve(constants, tile, self._threads)
        codes, found = convolve_bounded(constants, tile)
        placed = found.moved(command.row, command.column, command.first_channel)
        part = LayerOverflows(command.node, constants.accumulator, codes.size, placed)
        self._overflows.add(part)
        return codes

    def _constants(self, command: Convolve) -> Constants:
        """The constants SRAM holds now, laid out for the kernels.

        Many tiles find the same bytes there, so a block is laid out again only when they differ.
        """
        if command.group != self._laid_out_group:
            self._laid_out.clear()
            self._laid_out_group = command.group
        weights = self._sram.read_block(command.weights).tobytes()
        parameters = self._sram.read_block(command.parameters).tobytes()
        key = command.node, command.first_channel
        known = self._laid_out.get(key)
        if known is None or known.weights != weights or known.parameters != parameters:
            packed = _lay_out(command, weights, parameters)
            known = self._laid_out[key] = _LaidOut(weights, parameters, packed)
        return known.packed

    def _elementwise(self, command: Elementwise) -> None:
        types = [_type(rows) for rows in command.inputs]
        codes = [self._read(rows, place) for place, rows in enumerate(command.inputs)]
        self._write(command.output, KERNELS.compute(self._operator(command), types, codes), 0)

    def _interpolate(self, command: Interpolate) -> None:
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
        codes = self._read(command.input, 0)
        result = interpolate(codes, down, across, resize.bias, resize.requantization)
        self._write(command.output, result, 0)

    def _accumulate(self, command: Accumulate) -> None:
        statistics = command.operator
        share = KERNELS.compute(statistics, [_type(command.input)], [self._read(command.input, 0)])
        if not command.first:
            before = self._read(command.output, 1)
            share = _JOINED[statistics.statistic](before, share)
        self._write(command.output, share, 0)

    def _operator(self, command: Elementwise | Interpolate) -> Operator:
        """A command's operator, with the constants that SRAM holds now."""
        if command.constants is None:
            return command.operator
        octets = self._sram.read_block(command.constants)
        known = self._operators.get(command.node)
        if known is None or known[0] != octets.tobytes():
            operator = unpack_constants(command.operator, _type(command.output), octets)
            known = self._operators[command.node] = octets.tobytes(), operator
        return known[1]

    def _forget(self, _: Barrier) -> None:
        self._overflows.require_none()  # of the group that ended
        self._sram.forget()

    def _read(self, rows: Rows, place: int) -> Integers:
        """Integers of rows, codes in scratch memory: good until the next command."""
        buffer = rows.buffer
        if not is_sum(buffer.integer):
            codes = self._codes(place, (rows.count, rows.columns, buffer.channels))
            self._read_into(rows, codes, 0)
            return codes
        octets = self._codes(place, (rows.count, rows.columns, buffer.pixel_bytes))
        self._read_into(rows, octets, 0)
        return sums_of_octets(octets, buffer.integer.bits // 8)

    def _read_into(self, rows: Rows, codes: Codes, first_column: int) -> None:
        buffer, octets = rows.buffer, self._sram.octets
        addresses = self._sram.check_rows(rows)
        unpack_rows(
            octets, addresses, rows.columns, codes.shape[2], buffer.code, codes, first_column
        )

    def _write(self, rows: Rows, integers: Integers, first_channel: int) -> None:
        buffer, octets = rows.buffer, self._sram.octets
        codes = integers
        if is_sum(buffer.integer):
            codes = octets_of_sums(integers, buffer.integer.bits // 8)
        addresses = self._sram.mark_rows(rows)
        pack_rows(codes, octets, addresses, buffer.pixel_bytes, first_channel, buffer.code)

    def _codes(self, place: int, shape: tuple[int, int, int]) -> Codes:
        """Scratch memory for an operand, the same for a place each time; its content is unknown."""
        size = math.prod(shape)
        held = self._scratch.get(place)
        if held is None or held.size < size:
            held = self._scratch[place] = np.empty(size, np.int32)
        return held[:size].reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class _LaidOut:
    """Constants as they lay in SRAM, and as the kernels want them."""

    weights: bytes
    parameters: bytes
    packed: Constants


def _lay_out(command: Convolve, weights: bytes, parameters: bytes) -> Constants:
    settings, integer = command.settings, command.input.buffer.integer
    shape = (command.channels, *settings.kernel, settings.in_channels // settings.groups)
    weight = unpack_vector(
        np.frombuffer(weights, np.uint8),
        math.prod(shape),
        code_format(settings.weight_type),
    ).reshape(shape)
    bias, multiplier, shift = read_parameters(np.frombuffer(parameters, np.uint8))
    requantization = Requantization(
        multiplier,
        shift,
        settings.zero_point,
        settings.low,
        settings.high,
        settings.rounding,
        settings.destination_scale,
        settings.zero_point_first,
    )
    geometry = Geometry(settings.stride, settings.dilation, settings.groups_of(command.channels))
    operands = weight, bias, requantization, integer.low, integer.high
    if settings.accumulator is None:
        return pack_convolution(*operands, geometry)
    return pack_bounded_convolution(*operands, settings.accumulator, geometry)


def _channels_of_groups(command: Convolve, tile: Codes) -> Codes:
    """The input channels that a command's groups read."""
    settings = command.settings
    count = settings.groups_of(command.channels)
    if count == settings.groups:
        return tile
    per_group = settings.in_channels // settings.groups
    first = settings.groups_of(command.first_channel) if command.first_channel else 0
    return tile[:, :, first * per_group : (first + count) * per_group]


def _tile_positions(
    resize: BilinearResize, extent: int, source: int, target: int, count: int
) -> NDArray[np.int64]:
    """Between which rows or columns of its input a tile's outputs lie; int64 [3, count]."""
    whole = interpolation(extent, resize.factor, resize.half_pixel_centers)
    return np.asarray(whole[:, target : target + count] - np.array([[source], [source], [0]]))


def _type(rows: Rows) -> TensorType:
    return TensorType(rows.buffer.channels, rows.buffer.integer)


_JOINED: dict[str, Callable[[Integers, Integers], Integers]] = {
    "sum": np.add,
    "minimum": np.minimum,
    "maximum": np.maximum,
}
"""What the statistics of two tiles become, by name."""
