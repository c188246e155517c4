"""Programs that ``torch.export`` made, as float networks to be quantized."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from quant.common.errors import UnsupportedError, UserError
from quant.lowering.aten_operators import convert_aten, on_constants, operator_name
from quant.lowering.exported_archive import (
    ExportedArchive,
    ExportedCall,
    parse_archive,
    read_archive,
)
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import FloatSlice
from quant.lowering.network_builder import IMAGE, NetworkBuilder
from quant.lowering.torch_slices import cut, indexed

_CUTS = {
    "chunk": "chunk",
    "split": "split",
    "split_with_sizes": "split",
}
"""Operators whose results are several runs of channels, and how `cut` calls them."""


def read_exported(path: Path, name: str, pixel_range: float) -> FloatNetwork:
    """The float network in a file of ``torch.export.save``; no code of the file is run.

    Args:
        path: the file.
        name: what the network calls itself.
        pixel_range: value of a white pixel at both ends.

    Raises:
        UserError: the file is damaged or of another kind, or holds what integers cannot do here;
            every such operator is named.
    """
    return _network_of(read_archive(path), str(path), name, pixel_range)


def exported_network(
    network: nn.Module | torch.export.ExportedProgram,
    name: str = "network",
    pixel_range: float = 255.0,
    colours: int = 3,
) -> FloatNetwork:
    """The float network of a module, by ``torch.export``, or of what that gave.

    Where `quant.lowering.trace.trace` cannot follow a forward, because it calls functions of its
    own or looks at shapes, this often can.

    Args:
        network: takes one float image, N x colours x H x W, and returns one; in evaluation mode.
        name: what the result calls itself.
        pixel_range: value of a white pixel at both ends.
        colours: of the image, to export a module with.

    Raises:
        UserError: as `read_exported`.
    """
    what = f"network {type(network).__name__}"
    if isinstance(network, nn.Module):
        network = _exported(network, colours, what)
    content = io.BytesIO()
    torch.export.save(network, content)
    return _network_of(parse_archive(content.getvalue(), what), what, name, pixel_range)


_SIDE = 32


def _exported(network: nn.Module, colours: int, what: str) -> torch.export.ExportedProgram:
    try:
        return torch.export.export(network, (torch.zeros(1, colours, _SIDE, _SIDE),))
    except Exception as error:  # whatever a user's forward raises when it is traced
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{what}: expected a forward that torch.export can follow, found '{first}'; simplify it"
        ) from error


def _network_of(archive: ExportedArchive, what: str, name: str, pixel_range: float) -> FloatNetwork:
    reader = _Reader(archive)
    for call in archive.calls:
        reader.read(call)
    output = reader.values.get(archive.picture)
    if not isinstance(output, str):
        reader.builder.problems.append("an output other than one feature map")
    return reader.builder.network(what, name, str(output), pixel_range)


@dataclass(eq=False)
class _Reader:
    """The network so far: feature maps by name, constants as tensors."""

    archive: ExportedArchive
    builder: NetworkBuilder = field(default_factory=NetworkBuilder)
    values: dict[str, str | Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values |= self.archive.constants
        self.values[self.archive.image] = IMAGE
        if self.archive.channels is not None:
            self.builder.channels[IMAGE] = self.archive.channels

    def read(self, call: ExportedCall) -> None:
        """Read one call."""
        try:
            arguments = {entry.name: self._value(entry.arg) for entry in call.inputs}
        except UnsupportedError as problem:
            self.builder.problems.append(f"{problem} at '{_base_name(call)}'")
            self._define(call, [IMAGE] * len(_made(call)))
            return
        constant = on_constants(call.target, arguments)
        if constant is not None:
            self._define(call, [constant])
        elif operator_name(call.target) in (*_CUTS, "slice"):
            self._cut(call, arguments)
        else:
            made = self.builder.append(
                _base_name(call), lambda: convert_aten(call.target, arguments)
            )
            self._define(call, [made])

    def _value(self, argument: dict[str, object]) -> object:
        """A feature map's name, a constant, a number, or a list of those."""
        match argument:
            case {"as_tensor": {"name": str() as name}}:
                return self._known(name)
            case {"as_tensors": list() as parts}:
                return [self._value({"as_tensor": part}) for part in parts]
            case {"as_none": _}:
                return None
            case {"as_string": str() as text} if text in ("same", "valid", "constant", "none"):
                return text
            case {"as_string": "tanh"}:
                return "tanh"
            case {"as_int": int() as plain} | {"as_bool": bool() as plain}:
                return plain
            case {"as_float": int() | float() as real}:
                return float(real)
            case {"as_ints": list() as several} | {"as_floats": list() as several}:
                return [self._value({"as_float" if isinstance(n, float) else "as_int": n})
                        for n in several]  # fmt: skip
            case {"as_memory_format": _} | {"as_scalar_type": _} | {"as_device": _}:
                return None
            case _:
                kind = next(iter(argument), "nothing").removeprefix("as_")
                raise UnsupportedError(f"an argument of the kind {kind}")

    def _known(self, name: str) -> str | Tensor:
        if name not in self.values:
            raise UnsupportedError(f"'{name[:80]}', which nothing has made")
        return self.values[name]

    def _define(self, call: ExportedCall, values: Sequence[str | Tensor]) -> None:
        self.values |= dict(zip(_made(call), values, strict=False))

    def _cut(self, call: ExportedCall, arguments: dict[str, object]) -> None:
        """Runs of channels, each a node of its own."""
        base, source = _base_name(call), arguments.get("self")
        try:
            if not isinstance(source, str) or source not in self.builder.channels:
                raise UnsupportedError("a part of the image's channels")
            channels = self.builder.channels[source]
            slices = _slices(operator_name(call.target), source, arguments, channels)
        except UnsupportedError as problem:
            self.builder.problems.append(f"{problem} at '{base}'")
            self._define(call, [IMAGE] * len(_made(call)))
            return
        self._define(call, [self.builder.append_slice(base, source, part) for part in slices])


def _slices(
    kind: str, source: str, arguments: dict[str, object], channels: int
) -> Sequence[FloatSlice]:
    others = {name: value for name, value in arguments.items() if name != "self"}
    if kind in _CUTS:
        return cut(_CUTS[kind], [source], others, channels).slices
    run = slice(arguments.get("start"), arguments.get("end"), arguments.get("step"))
    if arguments.get("dim", 0) not in (1, -3) or run.step not in (None, 1):
        raise UnsupportedError("an index other than a run of channels")
    part, _ = indexed(source, (slice(None), slice(run.start, run.stop)), channels)
    return [part]


def _made(call: ExportedCall) -> list[str]:
    """Names of what a call makes."""
    names = []
    for output in call.outputs:
        match output:
            case {"as_tensor": {"name": str() as name}}:
                names.append(name)
            case {"as_tensors": list() as parts}:
                names += [part["name"] for part in parts if isinstance(part.get("name"), str)]
            case _:
                names.append("")
    return names


def _base_name(call: ExportedCall) -> str:
    """A module's own path, or what is done in which module, as `trace` names it."""
    function = operator_name(call.target)[:80]
    entries = str(call.metadata.get("nn_module_stack", "")).split(";")
    _, path, kind = [*entries[-1].split(",", 2), "", "", ""][:3]
    if kind.startswith("torch.nn.modules.") and path:
        return path[:200]
    return f"{path[:200]}.{function}" if path else function
