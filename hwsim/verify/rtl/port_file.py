"""A file that describes the ports of a design: ``docs/rtl.md`` explains it for people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from hwsim.verify.rtl.loop_nest import AXES, Loop, LoopNest
from quant.common.schemas import Contradictions, Schema, validate
from quant.common.yaml_documents import Location

Name = Annotated[str, Field(min_length=1, max_length=100)]
Bits = Annotated[int, Field(ge=1, le=64)]
Loops = Annotated[tuple[str, ...], Field(max_length=12, strict=False)]

SCALES = ("bias", "multiplier", "shift", "zero_point", "low", "high")
"""Fields of a scale, in the order of `Product.scales`."""

AXES_OF: dict[str, tuple[str, ...]] = {
    "activations": ("pixels", "reduction"),
    "weights": ("reduction", "channels"),
    **dict.fromkeys(SCALES, ("channels",)),
    "codes": ("pixels", "channels"),
}
"""The axes of what passes ports."""

_UNSIGNED = ("activations", "shift", "codes")

Operand = Literal[
    "activations", "weights", "bias", "multiplier", "shift", "zero_point", "low", "high"
]


class FieldOfItem(Schema):
    """A part of an item."""

    of: Operand
    """What it holds."""
    bits: Bits
    """Of an element."""
    signed: bool | None = None
    """Whether elements are two's complement; by default all but activations and shifts are."""

    @property
    def is_signed(self) -> bool:
        """Whether elements are two's complement."""
        return self.of not in _UNSIGNED if self.signed is None else self.signed


class InputPort(Schema):
    """An input stream."""

    name: Name
    """Of the data port; ``NAME_valid`` and ``NAME_ready`` go with it."""
    fields: Annotated[tuple[FieldOfItem, ...], Field(min_length=1, max_length=12, strict=False)]
    """Of an item, the first in the lowest bits."""
    order: Loops
    """Loops from item to item."""
    item: Loops = ()
    """Loops inside an item, the same for each of its fields."""
    ready: bool = True
    """Whether there is a ``NAME_ready``; without, an item is taken in every valid cycle."""
    lanes: bool = False
    """Whether each element of an item has a valid and a ready bit of its own."""

    @property
    def nest(self) -> LoopNest:
        """Its loops."""
        return LoopNest.parse(self.order, self.item)


class OutputPort(Schema):
    """An output stream, of codes."""

    name: Name
    """Of the data port; ``NAME_valid`` goes with it."""
    bits: Bits
    """Of a code."""
    signed: bool | None = None
    """Whether codes are two's complement; by default where the layer's are."""
    order: Loops
    """Loops from item to item."""
    item: Loops = ()
    """Loops inside an item."""
    lanes: bool = False
    """Whether each code of an item has a valid bit of its own."""

    @property
    def nest(self) -> LoopNest:
        """Its loops."""
        return LoopNest.parse(self.order, self.item)


class SettingPort(Schema):
    """An input that is constant during a tile."""

    name: Name
    """Of the port."""
    bits: Bits
    """Of an element."""
    value: int | None = None
    """An integer that is always the same; or"""
    of: Annotated[str, Field(max_length=40)] | None = None
    """an axis (its length), blocks of one (their number), ``is_signed``, ``weight_bits``,
    ``activation_bits``, or a field of scales."""
    elements: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Of a field of scales: of how many channels side by side; without, one that all share."""


class LargestTile(Schema):
    """What tiles may be at most."""

    pixels: Annotated[int, Field(ge=1, le=65536)]
    channels: Annotated[int, Field(ge=1, le=65536)]
    reduction: Annotated[int, Field(ge=1, le=1 << 24)] | None = None
    """Products of a sum; layers with more are left out."""


class PortFile(Schema):
    """The ports of a module."""

    clock: Name = "clock"
    reset: Name | None = "reset"
    reset_level: Literal["high", "low"] = "high"
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Of the module: integers and strings."""
    counts_from: Name | None = None
    """The input whose first transfer is cycle 0; by default any's."""
    cycles: Literal["ignored", "accelerator"] = "ignored"
    """``accelerator`` compares the cycles of a tile with the accelerator's."""
    tile: LargestTile | None = None
    """By default twice the accelerator's array."""
    settings: Annotated[tuple[SettingPort, ...], Field(strict=False)] = ()
    inputs: Annotated[tuple[InputPort, ...], Field(min_length=1, strict=False)]
    outputs: Annotated[tuple[OutputPort, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _makes_sense(self) -> "PortFile":
        problems = tuple(_contradictions(self))
        if problems:
            raise Contradictions(problems)
        return self


def read_port_file(path: Path) -> PortFile:
    """The ports that a file describes.

    Raises:
        UserError: it cannot be read or breaks the schema.
    """
    return validate(path, PortFile, "port description")


def _contradictions(ports: PortFile) -> Iterator[tuple[Location, str]]:
    for name, value in ports.parameters.items():
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield ("parameters", name), f"expected a whole number or text, got {value!r}"
    for place, given in enumerate(ports.inputs):
        location: Location = ("inputs", place)
        yield from _of_port(location, given, [field.of for field in given.fields])
        if given.lanes and len(given.fields) > 1:
            yield (*location, "lanes"), "an item of several fields cannot be cut into lanes"
    for place, output in enumerate(ports.outputs):
        yield from _of_port(("outputs", place), output, ["codes"])
    for place, setting in enumerate(ports.settings):
        yield from _of_setting(("settings", place), setting)


def _of_port(
    location: Location, port: InputPort | OutputPort, holds: list[str]
) -> Iterator[tuple[Location, str]]:
    try:
        nest = port.nest
        elements = nest.item_elements
    except ValueError as error:
        yield (*location, "order"), str(error)
        return
    if port.lanes and elements == 1:
        yield (*location, "lanes"), "an item of one element has no lanes; leave it out"
    for what in holds:
        missing = [axis for axis in AXES_OF[what] if not nest.covers(axis)]
        if missing:
            yield (
                (*location, "order"),
                f"{what} have {missing[0]}, which no loop goes over; add one",
            )


def _of_setting(location: Location, setting: SettingPort) -> Iterator[tuple[Location, str]]:
    if (setting.value is None) == (setting.of is None):
        yield location, "expected either 'value' or 'of'"
        return
    known = setting.of is None or setting.of in (*SCALES, *FACTS) or _is_count(setting.of)
    if not known:
        yield (
            (*location, "of"),
            f"expected an axis ({', '.join(AXES)}), blocks of one such as pixels/4, "
            f"{', '.join(FACTS)} or a field of scales ({', '.join(SCALES)}), got '{setting.of}'",
        )
    elif setting.elements is not None and setting.of not in SCALES:
        yield (*location, "elements"), "only fields of scales have elements; leave it out"


FACTS = ("is_signed", "weight_bits", "activation_bits")
"""What settings may tell of a layer besides lengths and scales."""


def _is_count(text: str) -> bool:
    try:
        return not Loop.parse(text).is_backwards
    except ValueError:
        return False
