"""What the MAC array does: convolves a tile with the constants that SRAM holds."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.convolution import PackedConvolution, pack_convolution
from hwsim.arithmetic.convolution_of_maps import Surroundings, convolve_map
from hwsim.arithmetic.geometry import Geometry, Padding
from hwsim.arithmetic.overflow import (
    BoundedConvolution,
    convolve_bounded,
    pack_bounded_convolution,
)
from hwsim.arithmetic.packing import unpack_vector
from hwsim.arithmetic.rearrangement import constant_border, replicate_border
from hwsim.arithmetic.scaled_convolution import ScaledKernel, scaled_convolve
from hwsim.machine.accumulators import LayerOverflows, OverflowLog
from hwsim.machine.kernel_operators import KERNELS
from hwsim.machine.memory import Sram
from hwsim.machine.rows import read_rows, write_rows
from hwsim.schedule.commands import ConvolutionSettings, Convolve
from hwsim.schedule.constants import read_parameters
from hwsim.schedule.storage import Block, code_format
from hwsim.schedule.vector_constants import POINT_CODE
from quant.graph import Padding as TilePadding
from quant.graph import Requantization, TensorType

Codes = NDArray[np.integer[Any]]
Constants = PackedConvolution | BoundedConvolution | ScaledKernel
"""Of a convolution, laid out for the kernels; bounded where it declares an accumulator."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredKernel:
    """What SRAM holds of some output channels of a convolution.

    Attributes:
        weight: [channels, KH, KW, I/groups].
        bias: int64 [channels].
        requantization: of its sums.
        tap_offset: int64 [channels, KH, KW], or None.
    """

    weight: NDArray[np.int32]
    bias: NDArray[np.int64]
    requantization: Requantization
    tap_offset: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True, eq=False)
class Convolved:
    """What one command read and computed, for those who check other hardware with it.

    Attributes:
        command: that was executed.
        tile: [rows, columns, channels] of its groups, as read from SRAM and with its border.
        kernel: as read from SRAM.
        codes: [rows, columns, output channels], as written to SRAM but for a remap.
    """

    command: Convolve
    tile: NDArray[np.int32]
    kernel: StoredKernel
    codes: Codes


Observe = Callable[[Convolved], None]


@dataclass(frozen=True, slots=True, eq=False)
class _LaidOut:
    """Constants as they lay in SRAM, and as the kernels want them."""

    octets: tuple[bytes, ...]
    packed: Constants


class MacArray:
    """Executes convolutions, each on up to ``threads`` threads, and shows them to ``observe``."""

    def __init__(
        self, sram: Sram, overflows: OverflowLog, threads: int, observe: Observe | None = None
    ) -> None:
        self._sram = sram
        self._overflows = overflows
        self._threads = threads
        self._observe = observe
        self._laid_out: dict[tuple[str, int], _LaidOut] = {}

    def forget(self) -> None:
        """SRAM is allocated anew: no constants of before come again."""
        self._laid_out.clear()

    def convolve(self, command: Convolve) -> None:
        """Fill some channels of a tile; of a declared accumulator, note what overflowed."""
        settings = command.settings
        constants = self._constants(command)
        tile = _channels_of_groups(command, read_rows(self._sram, command.input))
        padding = command.padding
        if settings.replicates_border:
            tile, padding = replicate_border(tile, _sides(padding)), TilePadding()
        around = _surroundings(settings, padding, command.first_channel, tile.shape[2])
        if isinstance(constants, PackedConvolution):
            codes = convolve_map(constants, tile, around, self._threads)
        elif isinstance(constants, ScaledKernel):
            assert command.scaling is not None
            factors = read_rows(self._sram, command.scaling.factors)
            codes = scaled_convolve(constants, tile, factors, around.padding)
        else:
            padded = constant_border(tile, around.padding, around.pad_code)
            codes, found = convolve_bounded(constants, padded)
            placed = found.moved(command.row, command.column, command.first_channel)
            part = LayerOverflows(command.node, constants.accumulator, codes.size, placed)
            self._overflows.add(part)
        if self._observe is not None and command.scaling is None:
            bordered = constant_border(tile, around.padding, around.pad_code)
            stored = _stored_kernel(command, *map(self._octets, _constant_blocks(command)))
            self._observe(Convolved(command, bordered, stored, codes))
        if command.remap is not None:
            codes = KERNELS.compute(command.remap, [_shuffled_type(command)], [codes])
        write_rows(self._sram, command.output, codes, command.first_channel)

    def _constants(self, command: Convolve) -> Constants:
        """The constants SRAM holds now, laid out for the kernels.

        Many tiles find the same bytes there, so a block is laid out again only when they differ.
        """
        octets = tuple(map(self._octets, _constant_blocks(command)))
        key = command.node, command.first_channel
        known = self._laid_out.get(key)
        if known is None or known.octets != octets:
            known = self._laid_out[key] = _LaidOut(octets, _lay_out(command, *octets))
        return known.packed

    def _octets(self, block: Block) -> bytes:
        return self._sram.read_block(block).tobytes()


def _constant_blocks(command: Convolve) -> list[Block]:
    blocks = [command.weights, command.parameters]
    return blocks if command.scaling is None else [*blocks, command.scaling.points]


def _shuffled_type(command: Convolve) -> TensorType:
    """The type of what is remapped: the output's codes, in as many channels as were computed."""
    return TensorType(command.channels, command.output.buffer.integer)


def _lay_out(
    command: Convolve, weights: bytes, parameters: bytes, points: bytes = b""
) -> Constants:
    settings, integer = command.settings, command.input.buffer.integer
    stored = _stored_kernel(command, weights, parameters)
    geometry = Geometry(settings.stride, settings.dilation, settings.groups_of(command.channels))
    if settings.scaling is not None:
        tables = _tables(settings, points)
        centred = settings.scaling.is_centred
        wide = stored.weight.astype(np.int64)
        return ScaledKernel(wide, stored.bias, tables, centred, stored.requantization, geometry)
    operands = stored.weight, stored.bias, stored.requantization, integer.low, integer.high
    if settings.accumulator is None:
        return pack_convolution(*operands, geometry, tap_offset=stored.tap_offset)
    return pack_bounded_convolution(*operands, settings.accumulator, geometry)


def _stored_kernel(command: Convolve, weights: bytes, parameters: bytes) -> StoredKernel:
    """Constants decoded from the bytes that SRAM holds."""
    settings = command.settings
    shape = (command.channels, *settings.kernel, settings.in_channels // settings.groups)
    weight = unpack_vector(
        np.frombuffer(weights, np.uint8),
        math.prod(shape),
        code_format(settings.weight_type),
    ).reshape(shape)
    taps = math.prod(settings.kernel) if settings.has_tap_offsets else 0
    octets = np.frombuffer(parameters, np.uint8)
    bias, multiplier, shift, offsets = read_parameters(octets, taps)
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
    return StoredKernel(weight, bias, requantization, offsets.reshape(shape[:3]) if taps else None)


def _tables(settings: ConvolutionSettings, octets: bytes) -> NDArray[np.int64]:
    """The points of every channel, [in_channels, codes]."""
    assert settings.scaling is not None
    shape = settings.in_channels, 1 << settings.scaling.code_bits
    points = unpack_vector(np.frombuffer(octets, np.uint8), math.prod(shape), POINT_CODE)
    return points.astype(np.int64).reshape(shape)


def _channels_of_groups(command: Convolve, tile: Codes) -> Codes:
    """The input channels that a command's groups read."""
    settings = command.settings
    count = settings.groups_of(command.channels)
    if count == settings.groups:
        return tile
    per_group = settings.in_channels // settings.groups
    first = settings.groups_of(command.first_channel) if command.first_channel else 0
    return tile[:, :, first * per_group : (first + count) * per_group]


@lru_cache(maxsize=1024)  # a group's few tiles that lie at a border of the image, and those inside
def _surroundings(
    settings: ConvolutionSettings, padding: TilePadding, first_channel: int, channels: int
) -> Surroundings:
    """What a tile of some input channels, those of the groups of output channels, lies in."""
    codes = settings.pad_code.astype(np.int32)
    if len(codes) > channels:
        first = settings.groups_of(first_channel) if first_channel else 0
        codes = codes[first * (settings.in_channels // settings.groups) :][:channels]
    return Surroundings(_sides(padding), codes)


def _sides(padding: TilePadding) -> Padding:
    return Padding(padding.top, padding.bottom, padding.left, padding.right)
