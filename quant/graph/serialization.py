"""A graph as one file: a safetensors container of integer arrays, with the nodes as JSON inside.

``docs/graph.md`` describes the format. A file is trusted only after its version, its checksum,
its types and the verifier have all been passed.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.common.files import atomic_output, read_bytes
from quant.graph.graph import Graph
from quant.graph.records import Arrays, RecordError, graph_from_record, graph_to_record
from quant.graph.verifier import verify

FORMAT = "hwsim-graph"
ADAPTIVE_FORMAT = "hwsim-adaptive-graph"
"""Of files with several graphs (`quant.graph.adaptive_file`)."""
VERSION = 6
SUFFIX = ".hwgraph"

ReadT = TypeVar("ReadT")

_ENVELOPE_KEYS = {"version", "sha256", "graph"}
_HEADER_LENGTH_BYTES = 8  # a safetensors file opens with the length of its JSON header
_NARROW_TYPES = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64)


def save_graph(graph: Graph, path: Path) -> None:
    """Write a graph to one file, whole or not at all.

    Args:
        graph: a verified graph.
        path: the file, by custom with the suffix ``.hwgraph``.

    Raises:
        UserError: the file cannot be written.
        GraphError: the graph breaks a rule.
    """
    arrays: dict[str, NDArray[np.int64]] = {}
    record = graph_to_record(verify(graph), arrays)
    write_container(path, FORMAT, record, arrays)


def write_container(
    path: Path, kind: str, record: object, arrays: Mapping[str, NDArray[np.int64]]
) -> None:
    """Write a record of JSON values and the arrays it refers to into one file.

    Args:
        path: the file.
        kind: what the record is of, the name of the file's one metadata entry.
        record: JSON values.
        arrays: integer arrays by name.

    Raises:
        UserError: the file cannot be written.
    """
    text = json.dumps(record, allow_nan=False, ensure_ascii=False)
    narrow = {name: _narrowest(values) for name, values in arrays.items()}
    envelope = {"version": VERSION, "sha256": _checksum(text, narrow), "graph": text}
    # One entry only: the library writes several in an order that differs from run to run.
    content = safetensors.numpy.save(narrow, {kind: json.dumps(envelope, ensure_ascii=False)})
    with atomic_output(path) as temporary:
        temporary.write_bytes(content)


def load_graph(path: Path) -> Graph:
    """Read a graph and check it: version, checksum, types, and every rule of the verifier.

    Raises:
        UserError: the file is missing, damaged, of another kind or version, or its graph breaks a
            rule; the message names the file.
    """
    return read_container(
        path, {FORMAT: lambda record, arrays: verify(graph_from_record(record, arrays))}
    )


def read_container(path: Path, readers: Mapping[str, Callable[[object, Arrays], ReadT]]) -> ReadT:
    """Read what `write_container` wrote: version and checksum are checked here.

    Args:
        path: the file.
        readers: for each kind of record that is welcome, what makes a verified value of it and of
            the arrays it refers to.

    Raises:
        UserError: the file is missing, damaged, of another kind or version, or its record is
            refused; the message names the file.
    """
    content = read_bytes(path, "graph")
    kind, arrays, envelope = _open(content, path, readers)
    if envelope["sha256"] != _checksum(envelope["graph"], arrays):
        raise UserError(
            f"{path}: the content does not match its checksum, so the file is damaged; "
            "copy it again or quantize the network again"
        )
    try:
        return readers[kind](_json(envelope["graph"]), _widened(arrays))
    except (RecordError, UserError) as error:
        raise UserError(f"{path}: {error}") from error


def _open(
    content: bytes, path: Path, kinds: Collection[str]
) -> tuple[str, dict[str, NDArray[Any]], dict[str, str]]:
    """The kind of a graph file of this version, its arrays, its checksum and its nodes as text."""
    try:
        arrays = safetensors.numpy.load(content)
        metadata = _container_metadata(content)
    except (safetensors.SafetensorError, RecordError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: expected a graph file ({SUFFIX}), found something else or a truncated one; "
            "give a file that `hwsim quantize` wrote, or write it again"
        ) from error
    if set(metadata) == {ADAPTIVE_FORMAT} and ADAPTIVE_FORMAT not in kinds:
        raise UserError(
            f"{path}: expected one graph, found several of which each image chooses one; "
            "give a graph of fixed bits"
        )
    if len(metadata) != 1 or not set(metadata) <= set(kinds):
        raise UserError(
            f"{path}: expected a graph file ({SUFFIX}), found a safetensors file of another kind; "
            "give a file that `hwsim quantize` wrote"
        )
    ((kind, text),) = metadata.items()
    return kind, arrays, _envelope(text, path)


def _envelope(text: str, path: Path) -> dict[str, str]:
    try:
        envelope = _json(text)
    except RecordError as error:
        raise UserError(f"{path}: {error}; quantize the network again") from error
    version = envelope.get("version") if isinstance(envelope, dict) else None
    if version != VERSION:
        raise UserError(
            f"{path}: the graph format is version {str(version)[:20]}, this hwsim reads version "
            f"{VERSION}; quantize the network again with this hwsim"
        )
    texts = (envelope.get("sha256"), envelope.get("graph"))
    if set(envelope) != _ENVELOPE_KEYS or not all(isinstance(entry, str) for entry in texts):
        raise UserError(
            f"{path}: expected a version, a checksum and a graph, found other entries; "
            "quantize the network again"
        )
    return dict(envelope)


def _container_metadata(content: bytes) -> dict[str, str]:
    """The metadata of a container the safetensors library has already accepted."""
    length = int.from_bytes(content[:_HEADER_LENGTH_BYTES], "little")
    header = _json(content[_HEADER_LENGTH_BYTES : _HEADER_LENGTH_BYTES + length].decode())
    return dict(header.get("__metadata__", {}))


def _json(text: str) -> Any:
    """Parse JSON without the infinities Python would let through.

    Raises:
        RecordError: the text is no JSON, or is nested beyond reason.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"expected JSON inside, found {type(error).__name__}") from error


def _refuse_constant(constant: str) -> float:
    raise RecordError(f"expected finite numbers, found {constant}")


def _narrowest(values: NDArray[np.int64]) -> NDArray[Any]:
    """The same integers in the smallest type that holds them."""
    low, high = int(values.min()), int(values.max())
    for dtype in _NARROW_TYPES:
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return np.ascontiguousarray(values, dtype=dtype)
    raise AssertionError("int64 holds every int64")


def _widened(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.int64]]:
    """The inverse of `_narrowest`."""
    for name, values in arrays.items():
        if values.dtype.type not in _NARROW_TYPES:
            raise RecordError(f"array '{name}': expected integers, found {values.dtype}")
    return {name: values.astype(np.int64) for name, values in arrays.items()}


def _checksum(text: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over the nodes and over the name, type, shape and bytes of each array, by name."""
    digest = hashlib.sha256(text.encode())
    for name, values in sorted(arrays.items()):
        digest.update(f"\n{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
