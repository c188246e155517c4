"""Tiles through the ports that a file describes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from accelerators.datapaths.kinds import datapath_of
from hwsim.verify.rtl.design import Design, Setting, Stream
from hwsim.verify.rtl.loop_nest import Loop, sizes_of
from hwsim.verify.rtl.outcome import Job
from hwsim.verify.rtl.port_file import (
    AXES_OF,
    SCALES,
    FieldOfItem,
    InputPort,
    OutputPort,
    PortFile,
    SettingPort,
)
from hwsim.verify.rtl.protocol import CodeLane
from hwsim.verify.rtl.tiles import Tile
from hwsim.verify.rtl.words import Words, check_fits, pack_fields
from hwsim.verify.stepped import Product

Wide = NDArray[np.int64]

PATIENCE_CYCLES = 4096
"""A tile ends without all of its codes after so many cycles, and as many again for every item and
product it has: far more than any array takes."""


@dataclass(frozen=True, slots=True, eq=False)
class DescribedPorts:
    """Ports as a file describes them.

    Attributes:
        design: the module.
        ports: of its file.
        accelerator: whose cycles are compared, if any are.
    """

    design: Design
    ports: PortFile
    accelerator: Accelerator

    @classmethod
    def of_module(
        cls, top: str, sources: Sequence[Path], ports: PortFile, accelerator: Accelerator
    ) -> "DescribedPorts":
        """The ports of a module.

        Raises:
            UserError: they have no sensible names.
        """
        design = Design(
            top,
            tuple(sources),
            tuple(_input_stream(port) for port in ports.inputs),
            tuple(_output_stream(port) for port in ports.outputs),
            tuple(Setting(each.name, each.bits * (each.elements or 1)) for each in ports.settings),
            ports.parameters,
            ports.clock,
            ports.reset,
            ports.reset_level == "low",
            ports.counts_from,
        )
        return cls(design, ports, accelerator)

    def misfit(self, tile: Tile) -> str | None:
        """Why a tile cannot pass the ports; None when it can."""
        largest = self.ports.tile
        reduction = tile.product.weights.shape[0]
        if largest is not None and reduction > (largest.reduction or reduction):
            return f"sums of {reduction} products, more than {largest.reduction}"
        try:
            for port in self.ports.inputs:
                for field in port.fields:
                    _check_range(port.name, field.of, _array(tile.product, field.of), field)
            for output in self.ports.outputs:
                low, high = _limits(output.bits, _codes_are_signed(output, tile))
                check_fits(tile.codes, low, high)
            for setting in self.ports.settings:
                _setting_value(setting, tile)
        except ValueError as error:
            return str(error)
        return None

    def job(self, tile: Tile) -> Job:
        """The streams and settings of a tile that fits."""
        streams: dict[str, Words] = {}
        sizes = sizes_of(tile.product)
        for port in self.ports.inputs:
            fields = [
                (_laid_out(port, field, tile.product, sizes), field.bits) for field in port.fields
            ]
            names = _input_stream(port).lane_names
            for lane, name in enumerate(names):
                streams[name] = pack_fields(
                    [(_lane(elements, lane, names), bits) for elements, bits in fields]
                )
        wanted = {name: len(lane.places) for name, lane in self.lanes(tile).items()}
        steps = sum(map(len, streams.values())) + sum(wanted.values()) + tile.product.work.macs
        return Job(
            streams,
            wanted,
            PATIENCE_CYCLES + 4 * steps,
            {setting.name: _setting_value(setting, tile) for setting in self.ports.settings},
        )

    def lanes(self, tile: Tile) -> Mapping[str, CodeLane]:
        """What the outputs should give, by lane."""
        found = {}
        for port in self.ports.outputs:
            places = port.nest.places(sizes_of(tile.product), AXES_OF["codes"])
            names = _output_stream(port).lane_names
            for lane, name in enumerate(names):
                is_signed = _codes_are_signed(port, tile)
                found[name] = CodeLane(_lane(places, lane, names), port.bits, is_signed)
        return found

    def cycles(self, tile: Tile) -> int | None:
        """The accelerator's cycles for the tile, if the file wants them compared."""
        if self.ports.cycles == "ignored":
            return None
        return array_cycles(self.accelerator, tile)


def array_cycles(accelerator: Accelerator, tile: Tile) -> int:
    """Cycles of an accelerator's array from a tile's first operand to its last code."""
    return datapath_of(accelerator.array).cycles(tile.product.work, accelerator.sram)


def _input_stream(port: InputPort) -> Stream:
    elements = port.nest.item_elements
    bits = sum(field.bits for field in port.fields)
    lanes = elements if port.lanes else 1
    return Stream(port.name, bits * elements // lanes, port.ready, lanes)


def _output_stream(port: OutputPort) -> Stream:
    elements = port.nest.item_elements
    lanes = elements if port.lanes else 1
    return Stream(port.name, port.bits * elements // lanes, lanes=lanes)


def _lane(elements: Wide, lane: int, names: Sequence[str]) -> Wide:
    """Of items [items, elements] those elements that one lane has."""
    return elements if len(names) == 1 else elements[:, lane : lane + 1]


def _array(product: Product, what: str) -> Wide:
    match what:
        case "activations":
            return product.activations
        case "weights":
            return product.weights
        case _:
            return product.scales[:, SCALES.index(what)]


def _laid_out(port: InputPort, field: FieldOfItem, product: Product, sizes: dict[str, int]) -> Wide:
    places = port.nest.places(sizes, AXES_OF[field.of])
    return np.where(places < 0, 0, _array(product, field.of).reshape(-1)[places])


def _limits(bits: int, is_signed: bool) -> tuple[int, int]:
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)


def _codes_are_signed(port: OutputPort, tile: Tile) -> bool:
    return tile.codes_are_signed if port.signed is None else port.signed


def _check_range(port: str, what: str, integers: Wide, field: FieldOfItem) -> None:
    try:
        check_fits(integers, *_limits(field.bits, field.is_signed))
    except ValueError as error:
        raise ValueError(f"{what} do not fit port '{port}': {error}") from error


def _setting_value(setting: SettingPort, tile: Tile) -> int:
    """What a setting's port gets.

    Raises:
        ValueError: it has no room for it.
    """
    product = tile.product
    if setting.value is not None:
        values = [setting.value]
    elif setting.of in SCALES:
        values = _scale_values(setting, product)
    elif setting.of in ("is_signed", "weight_bits", "activation_bits"):
        values = [int(getattr(product, setting.of))]
    else:
        assert setting.of is not None
        loop = Loop.parse(setting.of)
        values = [-(-sizes_of(product)[loop.axis] // loop.block)]
    low, high = -(1 << (setting.bits - 1)), (1 << setting.bits) - 1
    try:
        check_fits(np.array(values), low, high)
    except ValueError as error:
        raise ValueError(f"{setting.of} does not fit port '{setting.name}': {error}") from error
    mask = (1 << setting.bits) - 1
    return sum((value & mask) << (setting.bits * place) for place, value in enumerate(values))


def _scale_values(setting: SettingPort, product: Product) -> list[int]:
    values: list[int] = _array(product, str(setting.of)).tolist()
    if setting.elements is None:
        if len(set(values)) > 1:
            raise ValueError(
                f"{setting.of} differs by channel, but port '{setting.name}' has one for all"
            )
        return values[:1]
    if len(values) > setting.elements:
        raise ValueError(
            f"{len(values)} channels, but port '{setting.name}' has {setting.of} of "
            f"{setting.elements}"
        )
    return values
