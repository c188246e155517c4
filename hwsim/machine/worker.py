"""What each type of command does to the simulated memories: one row of a table per type."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.convolution import PackedConvolution, convolve, pack_convolution
from hwsim.arithmetic.overflow import (
    BoundedConvolution,
    convolve_bounded,
    pack_bounded_convolution,
)
from hwsim.arithmetic.packing import pack_rows, unpack_rows, unpack_vector
from hwsim.arithmetic.rearrangement import pixel_shuffle
from hwsim.machine.accumulators import LayerOverflows, OverflowLog
from hwsim.machine.kernel_operators import KERNELS
from hwsim.machine.memory import Dram, Sram
from hwsim.schedule.commands import (
    Barrier,
    Command,
    Convolve,
    Elementwise,
    LoadConstants,
    LoadRows,
    StoreRows,
)
from hwsim.schedule.constants import read_parameters
from hwsim.schedule.storage import Rows, code_format
from quant.graph import Requantization, TensorType

Codes = NDArray[np.int32]
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
        self._scratch: dict[int, Codes] = {}
        self._actions: dict[type[Command], Callable[[Any], None]] = {
            LoadConstants: self._load_constants,
            LoadRows: self._load_rows,
            StoreRows: self._store_rows,
            Convolve: self._convolve,
            Elementwise: self._elementwise,
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
        if command.factor > 1:
            self._store_shuffled(command)
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

    def _store_shuffled(self, command: StoreRows) -> None:
        tensor = command.tensor
        codes = pixel_shuffle(self._read(command.rows, 0), command.factor)
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
        codes = self._convolved(command, tile)
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
        types = [TensorType(rows.buffer.channels, rows.buffer.integer) for rows in command.inputs]
        codes = [self._read(rows, place) for place, rows in enumerate(command.inputs)]
        self._write(command.output, KERNELS.compute(command.operator, types, codes), 0)

    def _forget(self, _: Barrier) -> None:
        self._overflows.require_none()  # of the group that ended
        self._sram.forget()

    def _read(self, rows: Rows, place: int) -> Codes:
        """Codes of rows, in scratch memory: good until the next command."""
        codes = self._codes(place, (rows.count, rows.columns, rows.buffer.channels))
        self._read_into(rows, codes, 0)
        return codes

    def _read_into(self, rows: Rows, codes: Codes, first_column: int) -> None:
        buffer, octets = rows.buffer, self._sram.octets
        addresses = self._sram.check_rows(rows)
        unpack_rows(
            octets, addresses, rows.columns, buffer.channels, buffer.code, codes, first_column
        )

    def _write(self, rows: Rows, codes: Codes, first_channel: int) -> None:
        buffer, octets = rows.buffer, self._sram.octets
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
    shape = (command.channels, *settings.kernel, command.input.buffer.channels)
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
    operands = weight, bias, requantization, integer.low, integer.high
    if settings.accumulator is None:
        return pack_convolution(*operands)
    return pack_bounded_convolution(*operands, settings.accumulator)
