"""What ``torch.export.save`` writes, as plain data: nothing in the file is ever run.

The archive is a zip file with the program as JSON and each weight as plain bytes. torch's own
loader also reads pickles and evaluates symbolic expressions, both of which can run any code; here
only numbers, names and bytes are read, and an archive that needs more is refused.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from quant.common.errors import UserError
from quant.common.files import DAMAGED_ARCHIVE, read_bytes

SUFFIX = ".pt2"
LARGEST_BYTES = 1 << 30
LARGEST_PROGRAM_BYTES = 1 << 26
SCHEMA = 8
"""Of the JSON: the number torch counts up when it changes what it writes."""

_DTYPES = {
    1: torch.uint8,
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    12: torch.bool,
    13: torch.bfloat16,
}
"""Types of weights by torch's number."""


class _Record(BaseModel):
    """A part of the JSON; what is not named here is of no consequence."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Number(_Record):
    as_int: int


class _Layout(_Record):
    dtype: int
    sizes: list[_Number]
    strides: list[_Number]
    storage_offset: _Number


class _Payload(_Record):
    path_name: str
    use_pickle: bool
    tensor_meta: _Layout | None


class _Payloads(_Record):
    config: dict[str, _Payload]


class ExportedArgument(_Record):
    """An argument of a call: its name, and its value under the name of the value's kind."""

    name: str
    arg: dict[str, Any]


class ExportedCall(_Record):
    """A call of an operator.

    Attributes:
        target: such as ``torch.ops.aten.conv2d.default``.
        inputs: its arguments.
        outputs: what it makes, under the name of the kind.
        metadata: where in the user's modules it stood.
    """

    target: str
    inputs: list[ExportedArgument]
    outputs: list[dict[str, Any]]
    metadata: dict[str, Any] = Field(default_factory=dict)


class _Values(_Record):
    sizes: list[dict[str, Any]]


class _Graph(_Record):
    nodes: list[ExportedCall]
    tensor_values: dict[str, _Values]


class _Signature(_Record):
    input_specs: list[dict[str, dict[str, Any]]]
    output_specs: list[dict[str, dict[str, Any]]]


class _Module(_Record):
    graph: _Graph
    signature: _Signature


class _Version(_Record):
    major: int


class _Program(_Record):
    graph_module: _Module
    schema_version: _Version


@dataclass(frozen=True, slots=True, eq=False)
class ExportedArchive:
    """A program and its weights.

    Attributes:
        calls: operators, in order.
        constants: parameters, buffers and constants, by the names that calls use.
        image: name of the one input of the user's.
        picture: name of the one output.
        channels: of the image; None where they are left open.
    """

    calls: tuple[ExportedCall, ...]
    constants: Mapping[str, Tensor]
    image: str
    picture: str
    channels: int | None


def read_archive(path: Path) -> ExportedArchive:
    """Read a file.

    Raises:
        UserError: it is missing or damaged, is no such file, was written by another version of
            torch, holds a pickle in a weight's place, or has several inputs or outputs.
    """
    return parse_archive(read_bytes(path, "torch.export", LARGEST_BYTES), str(path))


def parse_archive(content: bytes, where: str) -> ExportedArchive:
    """The archive of a file's content.

    Args:
        content: the file.
        where: it is from, for messages.

    Raises:
        UserError: as `read_archive`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _Reader(archive, where).archive()
    except (*DAMAGED_ARCHIVE, ValidationError) as error:
        raise UserError(
            f"{where}: expected a file that torch.export.save wrote ({SUFFIX}), found something "
            "else or a damaged one; save the network again: "
            "torch.export.save(torch.export.export(network, (image,)), FILE)"
        ) from error


class _Reader:
    """An open archive; its entries lie in a folder of any name."""

    def __init__(self, archive: zipfile.ZipFile, where: str) -> None:
        self._archive = archive
        self._where = where
        self._entries = {
            entry.filename.partition("/")[2]: entry
            for entry in archive.infolist()
            if not entry.is_dir()
        }

    def archive(self) -> ExportedArchive:
        programs = [name for name in self._entries if name.startswith("models/")]
        if len(programs) != 1 or not programs[0].endswith(".json"):
            raise self._refused("one program", f"{len(programs)}", "save one with torch 2.9")
        name = programs[0].removeprefix("models/").removesuffix(".json")
        text = self._bytes(programs[0], LARGEST_PROGRAM_BYTES)
        program = _Program.model_validate_json(text)
        if program.schema_version.major != SCHEMA:
            raise self._refused(
                f"version {SCHEMA} of torch's format",
                f"version {program.schema_version.major}",
                "save the network again with the torch that is installed here",
            )
        signature = program.graph_module.signature
        tensors = self._tensors(name)
        constants, images = {}, []
        for spec in signature.input_specs:
            ((kind, entry),) = spec.items() if len(spec) == 1 else [("several", {})]
            if kind == "user_input":
                images.append(_argument_name(entry.get("arg")))
            elif kind in _TARGETS:
                target = entry.get(_TARGETS[kind])
                if isinstance(target, str) and target in tensors:
                    constants[_name(entry.get("arg"))] = tensors[target]
            else:
                raise self._refused("weights, buffers and an image", kind, "export it without")
        outputs = [spec.get("user_output") for spec in signature.output_specs]
        if len(images) != 1 or len(outputs) != 1 or outputs[0] is None:
            raise self._refused(
                "one input and one output",
                f"{len(images)} and {len(outputs)}",
                "export a network from an image to an image, in evaluation mode",
            )
        graph, picture = program.graph_module.graph, _argument_name(outputs[0].get("arg"))
        channels = _channels(graph, images[0])
        return ExportedArchive(tuple(graph.nodes), constants, images[0], picture, channels)

    def _tensors(self, name: str) -> dict[str, Tensor]:
        """Every weight, buffer and constant by its path in the user's modules."""
        tensors: dict[str, Tensor] = {}
        for folder, kind in (("weights", "weights"), ("constants", "constants")):
            entry = f"data/{folder}/{name}_{kind}_config.json"
            if entry not in self._entries:
                raise self._refused(
                    f"'{entry}' in the archive", "none", "save the network again with torch 2.9"
                )
            text = self._bytes(entry, LARGEST_PROGRAM_BYTES)
            for path, payload in _Payloads.model_validate_json(text).config.items():
                tensors[path] = self._tensor(path, folder, payload)
        return tensors

    def _tensor(self, name: str, folder: str, payload: _Payload) -> Tensor:
        layout = payload.tensor_meta
        if payload.use_pickle or layout is None:
            raise self._refused(
                f"'{name[:80]}' as plain bytes", "a pickle, which can run any code", "leave it out"
            )
        if layout.dtype not in _DTYPES:
            raise self._refused(f"'{name[:80]}' of numbers", f"type {layout.dtype}", "convert it")
        dtype = _DTYPES[layout.dtype]
        content = self._bytes(f"data/{folder}/{payload.path_name}", LARGEST_BYTES)
        sizes, strides = ([n.as_int for n in values] for values in (layout.sizes, layout.strides))
        stored, offset = len(content) // dtype.itemsize, layout.storage_offset.as_int
        if prod(sizes) == 0:
            return torch.zeros(0, dtype=dtype)
        last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=False))
        fits = len(sizes) == len(strides) and min([*sizes, *strides, offset, 1]) >= 0
        if not fits or last >= stored or prod(sizes) > stored:
            raise self._refused(f"'{name[:80]}' of {sizes} values", f"{stored}", "save it again")
        flat = torch.frombuffer(bytearray(content), dtype=dtype, count=stored)
        return torch.as_strided(flat, sizes, strides, offset)

    def _bytes(self, name: str, most: int) -> bytes:
        """One entry, which must not be compressed: torch does not, and what is can grow."""
        entry = self._entries.get(name)
        if entry is None:
            raise self._refused(f"'{name[:80]}' in the archive", "none", "save the network again")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > most:
            raise self._refused(
                f"'{name[:80]}' uncompressed, of at most {most} bytes",
                f"{entry.file_size} bytes",
                "save the network again",
            )
        return self._archive.read(entry)

    def _refused(self, wanted: str, found: str, advice: str) -> UserError:
        return UserError(f"{self._where}: expected {wanted}, found {found}; {advice}")


_TARGETS = {
    "parameter": "parameter_name",
    "buffer": "buffer_name",
    "tensor_constant": "tensor_constant_name",
}
"""Kinds of inputs that are no image, and where each says which tensor it is."""


def _name(argument: object) -> str:
    match argument:
        case {"name": str() as name}:
            return name
        case _:
            return ""


def _argument_name(argument: object) -> str:
    match argument:
        case {"as_tensor": {"name": str() as name}}:
            return name
        case _:
            return ""


def _channels(graph: _Graph, image: str) -> int | None:
    """Channels of an image of four axes."""
    values = graph.tensor_values.get(image)
    match [] if values is None else values.sizes:
        case [_, {"as_int": int() as channels}, _, _] if channels > 0:
            return channels
        case _:
            return None
