"""TensorFlow Lite flatbuffers as plain lists of tensors and operators."""

import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.common.files import read_bytes
from quant.interchange.tflite_flatbuffer import IDENTIFIER, TENSOR_TYPES

SUFFIX = ".tflite"
LARGEST_BYTES = 1 << 30
LARGEST_COUNT = 1 << 16
"""Of tensors and of operators."""
_LARGEST_AXES = 8


_DAMAGE = (struct.error, IndexError, ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What reading places raises that a damaged file names."""


def _names(enumeration: type[Any]) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


_OPERATORS = _names(tflite.BuiltinOperator)
_TYPES = _names(tflite.TensorType)
_OPTIONS = _names(tflite.BuiltinOptions)
_DTYPES = {number: dtype for dtype, number in TENSOR_TYPES.items()}


@dataclass(frozen=True, slots=True, eq=False)
class ModelTensor:
    """A tensor as the file has it.

    Attributes:
        name: up to the first semicolon; tensors that share one get their number behind it.
        type: such as ``INT8``.
        shape: as declared.
        scales: float32 [n]; empty where it is not quantized.
        zeros: int64 [n].
        values: its content, in its shape, where it is constant.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    scales: NDArray[np.float32]
    zeros: NDArray[np.int64]
    values: NDArray[Any] | None


@dataclass(frozen=True, slots=True, eq=False)
class ModelOperator:
    """An operator as the file has it.

    Attributes:
        code: such as ``CONV_2D``.
        inputs: tensors; None where an optional one is left out.
        outputs: the tensors it makes.
        options: scalar fields of its options, by their names in the schema.
    """

    code: str
    inputs: tuple[ModelTensor | None, ...]
    outputs: tuple[ModelTensor, ...]
    options: dict[str, int | float]

    @property
    def output(self) -> ModelTensor:
        """The first tensor it makes."""
        return self.outputs[0]

    def input(self, position: int) -> ModelTensor | None:
        """What it reads at a position, or None."""
        return self.inputs[position] if position < len(self.inputs) else None

    def number(self, option: str, missing: float = 0) -> int | float:
        """A scalar of its options."""
        return self.options.get(option, missing)

    def whole(self, option: str) -> int:
        """A whole number of its options, 0 where it is left out."""
        return int(self.options.get(option, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model of one subgraph with one input and one output."""

    input: ModelTensor
    output: ModelTensor
    operators: tuple[ModelOperator, ...]


def load_model(path: Path) -> Model:
    """Read a file.

    Raises:
        UserError: it is missing or damaged, is no such file, or has several inputs or outputs.
    """
    return parse_model(read_bytes(path, "TensorFlow Lite", LARGEST_BYTES), path)


def parse_model(content: bytes, path: Path) -> Model:
    """The model of a file's content; the path is for messages.

    Raises:
        UserError: it is damaged, is no such file, or has several inputs or outputs.
    """
    if content[4:8] != IDENTIFIER:
        raise UserError(
            f"{path}: expected a TensorFlow Lite file ({SUFFIX}), found something else; "
            "give a file that TensorFlow Lite's converter wrote"
        )
    try:
        return _model(tflite.Model.GetRootAsModel(content, 0), path)
    except _DAMAGE as error:
        raise UserError(
            f"{path}: expected a whole TensorFlow Lite file, found a damaged one; copy it again"
        ) from error


def _model(model: Any, path: Path) -> Model:
    if model.SubgraphsLength() != 1:
        raise UserError(
            f"{path}: expected one subgraph, found {model.SubgraphsLength()}; "
            "give a model without control flow"
        )
    subgraph = model.Subgraphs(0)
    ends = subgraph.InputsLength(), subgraph.OutputsLength()
    if ends != (1, 1):
        raise UserError(
            f"{path}: expected one input and one output, found {ends[0]} and {ends[1]}; "
            "give a network from an image to an image"
        )
    tensors = _tensors(model, subgraph)
    return Model(
        tensors[subgraph.Inputs(0)],
        tensors[subgraph.Outputs(0)],
        tuple(
            _operator(model, subgraph.Operators(index), tensors)
            for index in range(_bounded(subgraph.OperatorsLength(), LARGEST_COUNT))
        ),
    )


def _tensors(model: Any, subgraph: Any) -> list[ModelTensor]:
    count = _bounded(subgraph.TensorsLength(), LARGEST_COUNT)
    entries = [subgraph.Tensors(index) for index in range(count)]
    # Converters join the names of everything that an operator was fused from.
    names = [(entry.Name() or b"").decode(errors="replace").partition(";")[0] for entry in entries]
    used = Counter(names)
    return [
        _tensor(model, entry, name if used[name] == 1 else f"{name}#{index}")
        for index, (entry, name) in enumerate(zip(entries, names, strict=True))
    ]


def _tensor(model: Any, entry: Any, name: str) -> ModelTensor:
    axes = _bounded(entry.ShapeLength(), _LARGEST_AXES)
    shape = tuple(int(entry.Shape(axis)) for axis in range(axes))
    scales, zeros = np.zeros(0, np.float32), np.zeros(0, np.int64)
    quantization = entry.Quantization()
    if quantization is not None and quantization.ScaleLength():
        scales = np.asarray(quantization.ScaleAsNumpy(), np.float32)
        zeros = np.zeros(1, np.int64)
        if quantization.ZeroPointLength():
            zeros = np.asarray(quantization.ZeroPointAsNumpy(), np.int64).reshape(-1)
    buffer = model.Buffers(entry.Buffer())
    values = None
    if buffer.DataLength() and entry.Type() in _DTYPES:
        values = np.frombuffer(buffer.DataAsNumpy(), _DTYPES[entry.Type()]).reshape(shape)
    return ModelTensor(name, _TYPES[entry.Type()], shape, scales, zeros, values)


def _operator(model: Any, entry: Any, tensors: list[ModelTensor]) -> ModelOperator:
    kind = model.OperatorCodes(entry.OpcodeIndex())
    # Files older than the wide field have the number in the narrow one alone.
    code = _OPERATORS[max(kind.BuiltinCode(), kind.DeprecatedBuiltinCode())]
    read = _bounded(entry.InputsLength(), LARGEST_COUNT)
    made = _bounded(entry.OutputsLength(), LARGEST_COUNT)
    numbers = [int(entry.Inputs(index)) for index in range(read)]
    outputs = [int(entry.Outputs(index)) for index in range(made)]
    if not outputs or min(outputs) < 0:
        raise ValueError("an operator that makes nothing")
    return ModelOperator(
        code,
        tuple(tensors[number] if number >= 0 else None for number in numbers),
        tuple(tensors[number] for number in outputs),
        _options(entry),
    )


def _bounded(count: int, most: int) -> int:
    """A length that the file declares, before anything of that length is made."""
    if count > most:
        raise ValueError(f"{count} of what there may be {most}")
    return count


def _options(entry: Any) -> dict[str, int | float]:
    """The scalar fields of an operator's options."""
    name = _OPTIONS[entry.BuiltinOptionsType()]
    union = entry.BuiltinOptions()
    if union is None or name == "NONE":
        return {}
    table = getattr(tflite, name)()
    table.Init(union.Bytes, union.Pos)
    getters = [
        field
        for field in vars(type(table))
        if field[0].isupper() and not field.startswith(("GetRoot", name)) and field != "Init"
    ]
    values: dict[str, int | float] = {}
    for field in getters:
        getter = getattr(table, field)
        if getter.__code__.co_argcount == 1 and isinstance(value := getter(), int | float):
            values[field] = value
    return values
