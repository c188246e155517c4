"""Constants of ONNX files as arrays, from the file itself or from files beside it."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from quant.common.errors import UserError

LARGEST_CONSTANT_BYTES = 1 << 30
LARGEST_AXES = 8

_BITS = {
    TensorProto.INT4: 4,
    TensorProto.UINT4: 4,
    TensorProto.BOOL: 8,
    TensorProto.INT8: 8,
    TensorProto.UINT8: 8,
    TensorProto.INT16: 16,
    TensorProto.UINT16: 16,
    TensorProto.FLOAT16: 16,
    TensorProto.BFLOAT16: 16,
    TensorProto.INT32: 32,
    TensorProto.FLOAT: 32,
    TensorProto.INT64: 64,
    TensorProto.DOUBLE: 64,
}
_TYPED_FIELDS = ("float_data", "int32_data", "int64_data", "double_data")
_PACKED_IN_INT32 = 32


def array_of(tensor: Any, name: str, path: Path) -> NDArray[Any]:
    """The values of a constant, nothing allocated before declared and stored sizes agree.

    Args:
        tensor: an ``onnx.TensorProto``.
        name: of the constant, for messages.
        path: the ONNX file, for messages, and to find files beside it.

    Raises:
        UserError: it is of another type, too large, or stored otherwise than declared.
    """
    shape = tuple(tensor.dims)
    if tensor.data_type not in _BITS:
        known = TensorProto.DataType.items()
        found = next((k for k, number in known if number == tensor.data_type), tensor.data_type)
        raise _refused(path, name, "integers or real numbers", str(found))
    if len(shape) > LARGEST_AXES or min(shape, default=0) < 0:
        raise _refused(path, name, f"at most {LARGEST_AXES} axes, none negative", f"{shape}"[:80])
    bits = _BITS[tensor.data_type]
    wanted = -(-prod(shape) * bits // 8)
    if wanted > LARGEST_CONSTANT_BYTES:
        raise _refused(path, name, f"at most {LARGEST_CONSTANT_BYTES} bytes", f"{wanted}")
    if tensor.data_location == TensorProto.EXTERNAL:
        return _external(tensor, shape, wanted, name, path)
    if tensor.HasField("raw_data"):
        if len(tensor.raw_data) != wanted:
            raise _refused(path, name, f"{wanted} bytes", f"{len(tensor.raw_data)}")
    else:
        stored = sum(len(getattr(tensor, field)) for field in _TYPED_FIELDS)
        several = _PACKED_IN_INT32 // 4 // bits if bits < 8 else 1
        if stored != -(-prod(shape) // several):
            raise _refused(path, name, f"{prod(shape)} values", str(stored))
    return _values(tensor, name, path)


def _values(tensor: Any, name: str, path: Path) -> NDArray[Any]:
    try:
        values: NDArray[Any] = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:  # whatever a damaged field makes of it
        raise _refused(path, name, "values of its type", "others") from error
    return values


def _external(
    tensor: Any, shape: tuple[int, ...], wanted: int, name: str, path: Path
) -> NDArray[Any]:
    """Values in a file beside the model: never outside its folder, never more than are declared."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = path.parent.resolve()
    file = _beside(folder, location)
    if file is None:
        raise _refused(path, name, "values in a file beside this one", f"'{location[:80]}'")
    offset, length = (_number(entries.get(key)) for key in ("offset", "length"))
    if offset is None or length is None or (length and length != wanted):
        raise _refused(path, name, f"{wanted} bytes of {location}", "other numbers")
    try:
        with file.open("rb") as opened:
            opened.seek(offset)
            content = opened.read(wanted)
    except OSError as error:
        raise UserError(
            f"{file}: cannot read the values of '{name}': {error.strerror}; copy it again"
        ) from error
    if len(content) != wanted:
        raise _refused(path, name, f"{wanted} bytes in {location}", str(len(content)))
    inside = TensorProto(data_type=tensor.data_type, dims=shape, raw_data=content)
    return _values(inside, name, path)


def _beside(folder: Path, location: str) -> Path | None:
    """The regular file a location names inside a folder, links followed; None if it is none."""
    try:
        file = (folder / location).resolve()
        inside = bool(location) and file.is_relative_to(folder) and file.is_file()
    except (ValueError, OSError):  # a null character, a name that is too long
        return None
    return file if inside else None


def _number(text: str | None) -> int | None:
    """A place in a file: 0 where it is left out, None where it is no number."""
    if text is None:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _refused(path: Path, name: str, wanted: str, found: str) -> UserError:
    return UserError(
        f"{path}: constant '{name[:80]}': expected {wanted}, found {found}; export it again"
    )


def type_name(element: int) -> str:
    """Of a number of ``onnx.TensorProto.DataType``: NumPy's name, such as ``uint8``.

    Raises:
        KeyError: there is no such type.
    """
    return np.dtype(helper.tensor_dtype_to_np_dtype(element)).name
