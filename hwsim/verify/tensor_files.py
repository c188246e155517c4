"""Feature maps in files, for people who compare their own hardware or compiler with this project.

One tensor: ``.npy``, or hexadecimal words (``.hex``, ``.mem``). Several, by the names of their
nodes: ``.npz``, or a folder of files of one tensor each. Integers, rows × columns × channels.
"""

import io
import tokenize
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.hex_words import format_words, parse_words
from quant.common.errors import UserError, suggestion
from quant.common.files import DAMAGED_ARCHIVE, atomic_output, read_bytes
from quant.graph import Graph, Size, TensorType

Codes = NDArray[np.int32]

HEX_SUFFIXES = (".hex", ".mem")
_DIMENSIONS = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """A feature map that a file may hold."""

    tensor: TensorType
    size: Size

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns, channels."""
        return self.size.height, self.size.width, self.tensor.channels


def wanted_tensors(graph: Graph, image: Size) -> dict[str, Wanted]:
    """The feature maps of a graph for images of a size, by node."""
    sizes = graph.sizes(image)
    return {node.name: Wanted(node.output, sizes[node.name]) for node in graph.nodes}


def read_tensors(path: Path, wanted: Mapping[str, Wanted], output: str) -> dict[str, Codes]:
    """The feature maps of a file or folder, by node.

    Args:
        path: as the module's first lines say.
        wanted: every feature map there could be.
        output: name of the node that a file of one tensor without a name holds.

    Raises:
        UserError: a file is missing or damaged, a name unknown, a shape or a type wrong.
    """
    if path.is_dir():
        return _read_folder(path, wanted)
    if path.suffix == ".npz":
        return {
            name: _checked(values, _known(name, wanted, path), f"{path}, '{name}'")
            for name, values in _load_npz(path).items()
        }
    return {output: read_tensor(path, wanted[output])}


def read_tensor(path: Path, wanted: Wanted) -> Codes:
    """The one feature map of a file.

    Raises:
        UserError: the file is missing or damaged, or its shape or type is wrong.
    """
    if path.suffix == ".npy":
        return _checked(_load(path, "NumPy array", _array), wanted, str(path))
    if path.suffix in HEX_SUFFIXES:
        if not wanted.tensor.integer.is_consecutive:
            raise UserError(
                f"{path}: expected a NumPy array for {wanted.tensor.integer} codes, found "
                "hexadecimal words; give a .npy file"
            )
        content = read_bytes(path, "tensor").decode("ascii", errors="replace")
        count = int(np.prod(wanted.shape))
        return parse_words(content, wanted.tensor.integer, count, str(path)).reshape(wanted.shape)
    known = ", ".join((".npy", ".npz", *HEX_SUFFIXES))
    raise UserError(
        f"{path}: expected a tensor file ({known}) or a folder of them, found "
        f"'{path.suffix}'; convert it"
    )


@contextmanager
def tensor_writer(path: Path) -> Iterator[Callable[[str, TensorType, NDArray[Any]], None]]:
    """Write feature maps one by one: (name, type, integers) each.

    Args:
        path: a ``.npz`` file, else a folder of ``.hex`` files.

    Raises:
        UserError: the file or folder cannot be written.
    """
    if path.suffix != ".npz":
        yield lambda name, tensor, codes: _write_hex(path, name, tensor, codes)
        return
    with (
        atomic_output(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        yield lambda name, tensor, codes: _write_entry(archive, name, codes)


def _write_hex(folder: Path, name: str, tensor: TensorType, codes: NDArray[Any]) -> None:
    shape = "×".join(str(axis) for axis in codes.shape)
    header = f"// {name}: {shape} {tensor.integer}; rows, columns, channels\n"
    with atomic_output(folder / f"{quote(name, safe='')}.hex") as temporary:
        temporary.write_text(header + format_words(codes, tensor.integer), encoding="utf-8")


def _write_entry(archive: zipfile.ZipFile, name: str, codes: NDArray[Any]) -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, codes.astype(np.int32))
    archive.writestr(f"{name}.npy", content.getvalue())


def _read_folder(folder: Path, wanted: Mapping[str, Wanted]) -> dict[str, Codes]:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    if not files:
        raise UserError(f"{folder}: expected tensor files in this folder, found none")
    return {
        unquote(file.stem): read_tensor(file, _known(unquote(file.stem), wanted, file))
        for file in files
    }


def _load_npz(path: Path) -> dict[str, NDArray[Any]]:
    archive: dict[str, NDArray[Any]] = _load(path, "NumPy archive", _arrays)
    return archive


def array_shape(path: Path) -> tuple[int, ...]:
    """The shape of the array in a ``.npy`` file.

    Raises:
        UserError: the file is missing or damaged.
    """
    array: NDArray[Any] = _load(path, "NumPy array", _array)
    return array.shape


def _load(path: Path, what: str, load: Callable[[bytes], Any]) -> Any:
    try:
        return load(read_bytes(path, "tensor"))
    except _DAMAGE as error:
        raise UserError(
            f"{path}: expected a {what}, found something else or a damaged one; write it again"
        ) from error


_DAMAGE = (*DAMAGED_ARCHIVE, TypeError, SyntaxError, tokenize.TokenError)
"""What reading a damaged file raises, by kind of damage."""


def _arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of an archive, none larger than a feature map needs to be."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > _LARGEST_BYTES:
            raise ValueError("an archive that grows beyond what feature maps need")
        return {
            entry.filename.removesuffix(".npy"): _array(archive.read(entry)) for entry in entries
        }


def _array(content: bytes) -> NDArray[Any]:
    """The array of a ``.npy`` file; nothing is allocated by what it only declares."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"version {version}")
    with warnings.catch_warnings(action="ignore"):  # of types that are no integers anyway
        shape, is_fortran, dtype = _HEADERS[version](stream)
    start = stream.tell()
    if dtype.hasobject or prod(shape) * dtype.itemsize != len(content) - start:
        raise ValueError("another size than declared")
    flat: NDArray[Any] = np.frombuffer(content, dtype, offset=start)
    return flat.reshape(shape, order="F" if is_fortran else "C")


_LARGEST_BYTES = 1 << 32
_HEADERS: dict[tuple[int, int], Callable[[io.BytesIO], Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def _known(name: str, wanted: Mapping[str, Wanted], path: Path) -> Wanted:
    if name not in wanted:
        raise UserError(f"{path}: no tensor '{name}' in this graph; {suggestion(name, wanted)}")
    return wanted[name]


def _checked(values: NDArray[Any], wanted: Wanted, where: str) -> Codes:
    if not np.issubdtype(values.dtype, np.integer):
        raise UserError(
            f"{where}: expected integers, found {values.dtype}; give codes, not real numbers"
        )
    if values.shape != wanted.shape:
        shapes = ["×".join(str(axis) for axis in shape) for shape in (wanted.shape, values.shape)]
        raise UserError(
            f"{where}: expected {shapes[0]} integers (rows, columns, channels), found "
            f"{shapes[1] or 'a single one'}; give the tensor of this image in that order"
        )
    limits = np.iinfo(np.int32)
    if values.size and not limits.min <= int(values.min()) <= int(values.max()) <= limits.max:
        raise UserError(f"{where}: expected integers of 32 bits, found wider ones; give codes")
    return values.astype(np.int32)
