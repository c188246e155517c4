"""Tiles of real networks: operands that lay in simulated SRAM, and the codes that were written."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.machine import Convolved, execute
from hwsim.schedule import Program, schedule
from hwsim.schedule.commands import Convolve
from hwsim.schedule.datapaths import weight_terms
from hwsim.verify.random_operators import random_codes
from hwsim.verify.stepped import Product
from quant.common.codes import CodeKind
from quant.common.requantization_modes import MODES
from quant.graph import Graph, Size

Wide = NDArray[np.int64]

IMAGE = Size(24, 40)
"""Of a random image, where none is given."""


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """Some pixels and channels of one layer's output.

    Attributes:
        node: the layer.
        pixels: row and column of each in the layer's output, [pixels, 2].
        first_channel: channels begin there.
        product: operands and scales.
        rounding: the requantization mode of the scales' shifts.
        codes: what the machine wrote, [pixels, channels].
    """

    node: str
    pixels: Wide
    first_channel: int
    product: Product
    rounding: str
    codes: Wide

    @property
    def codes_are_signed(self) -> bool:
        """Whether some code is negative, or could be."""
        return int(self.product.scales[:, 4].min()) < 0

    def place(self, pixel: int, channel: int) -> str:
        """Where in the layer one of the tile's codes is, in words."""
        row, column = (int(axis) for axis in self.pixels[pixel])
        return f"{self.node}, row {row}, column {column}, channel {self.first_channel + channel}"


@dataclass(frozen=True, slots=True)
class _Cut:
    """A block of a command's output: pixels counted along rows, channels of the command."""

    pixel: int
    pixels: int
    channel: int
    channels: int


def tiles_of(
    graph: Graph,
    accelerator: Accelerator,
    count: int,
    *,
    image: NDArray[np.int32] | None = None,
    seed: int = 0,
    most: tuple[int, int] | None = None,
) -> list[Tile]:
    """Tiles of the layers of a network, taken in turns, as a machine computes them.

    How many pixels and channels each has is drawn at random. Left out are layers whose operands are
    not multiplied as two's complement or unsigned integers (but weights of a shift-and-add array),
    whose sums may overflow, or that have offsets by tap, channels scaled at run time, a scale in
    floating point or a zero point added before rounding.

    Args:
        graph: the network.
        accelerator: the machine.
        count: of tiles; none of a network without such layers.
        image: int32 [height, width, channels] that it runs on; a random one without.
        seed: of the random image, and of which tiles there are.
        most: pixels and channels of a tile; by default twice the array's rows and columns.

    Raises:
        ScheduleError: the accelerator has no room for the network.
    """
    random = np.random.default_rng(seed)
    if image is None:
        image = random_codes(random, IMAGE, graph.input.output)
    program = schedule(graph, accelerator, Size(*image.shape[:2]))
    array = accelerator.array
    most = most or (2 * array.rows, 2 * array.columns)
    layers = _layers(program, takes_any_weight=array.dataflow == "shift_add")
    chosen = list(_chosen(layers, count, most, random))
    cuts: dict[int, list[_Cut]] = {}
    for command, cut in chosen:
        cuts.setdefault(id(command), []).append(cut)
    found: dict[int, list[Tile]] = {}

    def observe(convolved: Convolved) -> None:
        wanted = cuts.get(id(convolved.command), [])
        found[id(convolved.command)] = [_tile(convolved, cut) for cut in wanted]

    execute(program, accelerator, image, observe=observe)
    return [found[id(command)].pop(0) for command, _ in chosen]


def _layers(program: Program, *, takes_any_weight: bool) -> list[list[Convolve]]:
    """The commands of each layer that tiles are taken of."""
    by_node: dict[str, list[Convolve]] = {}
    for command in program.commands:
        if isinstance(command, Convolve) and _is_plain(command, takes_any_weight):
            by_node.setdefault(command.node, []).append(command)
    return list(by_node.values())


def _chosen(
    layers: Sequence[Sequence[Convolve]],
    count: int,
    most: tuple[int, int],
    random: np.random.Generator,
) -> Iterator[tuple[Convolve, _Cut]]:
    """Commands of layers in turns, and which block of each."""
    for place in range(count if layers else 0):
        commands = layers[place % len(layers)]
        command = commands[int(random.integers(len(commands)))]
        # Of several groups one is taken: each is a product of its own.
        groups = command.settings.groups_of(command.channels)
        group_channels = command.channels // groups
        pixel, pixels = _drawn(random, command.pixels, most[0])
        channel, channels = _drawn(random, group_channels, most[1])
        channel += group_channels * int(random.integers(groups))
        yield command, _Cut(pixel, pixels, channel, channels)


def _drawn(random: np.random.Generator, available: int, most: int) -> tuple[int, int]:
    """Where a part begins and how long it is."""
    length = int(random.integers(1, min(available, most) + 1))
    return int(random.integers(available - length + 1)), length


def _is_plain(command: Convolve, takes_any_weight: bool) -> bool:
    settings, integer = command.settings, command.input.buffer.integer
    return (
        integer.kind in (CodeKind.SIGNED, CodeKind.UNSIGNED)
        and (takes_any_weight or settings.weight_type.kind == CodeKind.SIGNED)
        and settings.accumulator is None
        and settings.scaling is None
        and not settings.has_tap_offsets
        and not settings.zero_point_first
        and not MODES[settings.rounding].is_float
    )


def _tile(convolved: Convolved, cut: _Cut) -> Tile:
    command, settings = convolved.command, convolved.command.settings
    height, width, _ = convolved.codes.shape
    places = np.arange(cut.pixel, cut.pixel + cut.pixels)
    pixels = np.stack([places // width, places % width], axis=1)
    channels = slice(cut.channel, cut.channel + cut.channels)
    group = cut.channel // (command.channels // settings.groups_of(command.channels))
    integer = command.input.buffer.integer
    product = Product(
        _windows(convolved, pixels, group),
        convolved.kernel.weight[channels].reshape(cut.channels, -1).T.astype(np.int64),
        math.prod(settings.kernel),
        settings.weight_type.bits,
        integer.bits,
        integer.kind == CodeKind.SIGNED,
        _scales(convolved)[channels],
        weight_terms(settings.weight_type),
    )
    codes = convolved.codes.reshape(height * width, -1)[places][:, channels].astype(np.int64)
    corner = np.array((command.row, command.column), np.int64)
    first_channel = command.first_channel + cut.channel
    rounding = settings.rounding
    return Tile(command.node, pixels + corner, first_channel, product, rounding, codes)


def _windows(convolved: Convolved, pixels: Wide, group: int) -> Wide:
    """What some pixels' windows see of a group's channels, [pixels, taps x channels]."""
    settings = convolved.command.settings
    depth = settings.in_channels // settings.groups
    tile = convolved.tile[:, :, group * depth : (group + 1) * depth]
    taps = np.indices(settings.kernel).reshape(2, -1).T * settings.dilation
    places = (pixels * settings.stride)[:, None] + taps
    return tile[places[..., 0], places[..., 1]].reshape(len(pixels), -1).astype(np.int64)


def _scales(convolved: Convolved) -> Wide:
    """As `Product` wants them, [channels, 6]."""
    kernel, rule = convolved.kernel, convolved.kernel.requantization
    fixed = [np.full_like(kernel.bias, value) for value in (rule.zero_point, rule.low, rule.high)]
    return np.stack([kernel.bias, rule.multiplier, rule.shift, *fixed], axis=1)
