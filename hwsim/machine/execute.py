"""Runs a program's commands in issue order on simulated memories, bit for bit."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.arithmetic.convolution import PackedConvolution, convolve, pack_convolution
from hwsim.arithmetic.elementwise import pixel_shuffle
from hwsim.arithmetic.packing import pack_rows, unpack_rows, unpack_vector
from hwsim.machine.kernel_operators import KERNELS
from hwsim.machine.memory import Dram, Sram
from hwsim.schedule.constants import read_parameters
from hwsim.schedule.program import (
    Barrier,
    Command,
    Convolve,
    DramTensor,
    Elementwise,
    LoadConstants,
    LoadRows,
    Program,
    Rows,
    StoreRows,
    code_format,
)
from quant.graph import Requantization, TensorType

Codes = NDArray[np.int32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Execution:
    """What came out of running a program.

    Attributes:
        output: int32 [height, width, channels], the codes of the output tensor.
        dram_read_bytes: payload bytes actually read from DRAM.
        dram_write_bytes: payload bytes actually written to DRAM.
    """

    output: Codes
    dram_read_bytes: int
    dram_write_bytes: int


def execute(
    program: Program, accelerator: Accelerator, image: Codes, progress: Progress | None = None
) -> Execution:
    """Run a program on an image.

    Args:
        program: scheduled for this accelerator and the image's size.
        accelerator: the machine.
        image: int32 [height, width, channels], codes of the input tensor.
        progress: called with commands done and commands in all.

    Returns:
        The output and the traffic.

    Raises:
        MachineError: a command reads SRAM that holds nothing.
        ValueError: the image does not have the program's input shape.
    """
    tensor = program.input
    wanted = (tensor.size.height, tensor.size.width, tensor.channels)
    if image.shape != wanted:
        raise ValueError(f"program input: expected codes of shape {wanted}, given {image.shape}")
    machine = _Machine(program, accelerator)
    machine.put(tensor, image)
    for done, command in enumerate(program.commands, 1):
        machine.run(command)
        if progress is not None:
            progress(done, len(program.commands))
    return Execution(machine.get(program.output), machine.dram.read_bytes, machine.dram.write_bytes)


class _Machine:
    """The memories, and what each command does to them."""

    def __init__(self, program: Program, accelerator: Accelerator) -> None:
        self.dram = Dram(program.constants, program.dram_bytes)
        self.sram = Sram(accelerator.sram.size_kib * 1024)
        # Constants laid out for the kernels, by their very bytes: many tiles load the same ones.
        self.packed: dict[tuple[object, ...], PackedConvolution] = {}

    def put(self, tensor: DramTensor, codes: Codes) -> None:
        """Place a whole feature map in DRAM from outside, uncounted."""
        pack_rows(
            codes,
            self.dram.octets,
            _row_addresses(tensor, 0, tensor.size.height, 0),
            tensor.pixel_bytes,
            0,
            code_format(tensor.integer),
        )

    def get(self, tensor: DramTensor) -> Codes:
        """Take a whole feature map from DRAM, uncounted."""
        codes = np.empty((tensor.size.height, tensor.size.width, tensor.channels), np.int32)
        unpack_rows(
            self.dram.octets,
            _row_addresses(tensor, 0, tensor.size.height, 0),
            tensor.size.width,
            tensor.channels,
            code_format(tensor.integer),
            codes,
            0,
        )
        return codes

    def run(self, command: Command) -> None:
        """Execute one command."""
        match command:
            case LoadConstants():
                octets = self.dram.read(command.address, command.block.size_bytes)
                self.sram.write(command.block.address, octets)
            case LoadRows():
                self._load_rows(command)
            case StoreRows():
                self._store_rows(command)
            case Convolve():
                self._convolve(command)
            case Elementwise():
                self._elementwise(command)
            case Barrier():
                self.packed.clear()  # the next group has other constants
                self.sram.forget()

    def _load_rows(self, command: LoadRows) -> None:
        tensor, rows = command.tensor, command.rows
        size_bytes = rows.columns * tensor.pixel_bytes
        sources = _row_addresses(tensor, command.row, rows.count, command.column)
        for source, target in zip(sources.tolist(), rows.addresses(), strict=True):
            self.sram.write(target, self.dram.read(source, size_bytes))

    def _store_rows(self, command: StoreRows) -> None:
        tensor, rows, factor = command.tensor, command.rows, command.factor
        if factor == 1:
            size_bytes = rows.columns * tensor.pixel_bytes
            targets = _row_addresses(tensor, command.row, rows.count, command.column)
            for target, source in zip(
                targets.tolist(), self.sram.check_rows(rows).tolist(), strict=True
            ):
                self.dram.write(target, self.sram.octets[source : source + size_bytes])
            return
        shuffled = pixel_shuffle(self._read(rows), factor)
        targets = _row_addresses(tensor, command.row, shuffled.shape[0], command.column)
        self.dram.write_bytes += len(targets) * shuffled.shape[1] * tensor.pixel_bytes
        pack_rows(
            shuffled,
            self.dram.octets,
            targets,
            tensor.pixel_bytes,
            0,
            code_format(tensor.integer),
        )

    def _convolve(self, command: Convolve) -> None:
        ifm, padding, settings = command.input, command.padding, command.settings
        channels = ifm.buffer.channels
        tile = np.empty(
            (
                padding.top + ifm.count + padding.bottom,
                padding.left + ifm.columns + padding.right,
                channels,
            ),
            np.int32,
        )
        if padding.top or padding.bottom or padding.left or padding.right:
            tile[:] = settings.pad_code
        interior = tile[padding.top : padding.top + ifm.count]
        self._read_into(ifm, interior, padding.left)
        self._write(command.output, convolve(self._constants(command), tile), command.first_channel)

    def _constants(self, command: Convolve) -> PackedConvolution:
        """The constants SRAM holds now, laid out for the kernels."""
        weights = self.sram.read_block(command.weights).tobytes()
        parameters = self.sram.read_block(command.parameters).tobytes()
        key = (command.node, weights, parameters)
        if key not in self.packed:
            self.packed[key] = _lay_out(command, weights, parameters)
        return self.packed[key]

    def _elementwise(self, command: Elementwise) -> None:
        types = [TensorType(rows.buffer.channels, rows.buffer.integer) for rows in command.inputs]
        codes = [self._read(rows) for rows in command.inputs]
        result = KERNELS.compute(command.operator, types, codes)
        self._write(command.output, result, 0)

    def _read(self, rows: Rows) -> Codes:
        codes = np.empty((rows.count, rows.columns, rows.buffer.channels), np.int32)
        self._read_into(rows, codes, 0)
        return codes

    def _read_into(self, rows: Rows, codes: Codes, first_column: int) -> None:
        buffer = rows.buffer
        unpack_rows(
            self.sram.octets,
            self.sram.check_rows(rows),
            rows.columns,
            buffer.channels,
            code_format(buffer.integer),
            codes,
            first_column,
        )

    def _write(self, rows: Rows, codes: Codes, first_channel: int) -> None:
        buffer = rows.buffer
        addresses = rows.addresses()
        pack_rows(
            codes,
            self.sram.octets,
            np.array(addresses, np.int64),
            buffer.pixel_bytes,
            first_channel,
            code_format(buffer.integer),
        )
        for address in addresses:
            self.sram.mark(address, rows.columns * buffer.pixel_bytes)


def _lay_out(command: Convolve, weights: bytes, parameters: bytes) -> PackedConvolution:
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
    )
    return pack_convolution(weight, bias, requantization, integer.low, integer.high)


def _row_addresses(tensor: DramTensor, row: int, count: int, column: int) -> NDArray[np.int64]:
    start = tensor.address + row * tensor.row_bytes + column * tensor.pixel_bytes
    return start + np.arange(count, dtype=np.int64) * tensor.row_bytes
