"""TensorFlow Lite flatbuffers from a list of tensors and one of operators."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

SCHEMA_VERSION = 3
IDENTIFIER = b"TFL3"
TENSOR_TYPES: dict[np.dtype[Any], int] = {
    np.dtype(np.int8): tflite.TensorType.INT8,
    np.dtype(np.uint8): tflite.TensorType.UINT8,
    np.dtype(np.int16): tflite.TensorType.INT16,
    np.dtype(np.int32): tflite.TensorType.INT32,
    np.dtype(np.int64): tflite.TensorType.INT64,
    np.dtype(np.float32): tflite.TensorType.FLOAT32,
}
_LARGEST_OLD_CODE = 127  # what the 8-bit field of the first schemas holds


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One tensor of a model.

    Attributes:
        name: its own in the model.
        shape: with a leading batch of 1 for feature maps.
        dtype: of its codes.
        scales: float32, one or one for each slice along ``axis``; None for plain integers.
        zero: zero point of all slices.
        values: its content where it is constant.
        axis: of the scales.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Any
    scales: NDArray[np.float32] | None = None
    zero: int = 0
    values: NDArray[Any] | None = None
    axis: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One operator of a model.

    Attributes:
        code: a `tflite.BuiltinOperator`.
        version: the first that takes such tensors.
        inputs: names of tensors.
        outputs: names of tensors.
        options: the table of its options in the schema, such as `tflite.AddOptions`, or None.
        settings: fields of the options, by their names in the schema.
    """

    code: int
    version: int
    inputs: Sequence[str]
    outputs: Sequence[str]
    options: Any = None
    settings: dict[str, int] = field(default_factory=dict)


def model_bytes(
    tensors: Sequence[Tensor],
    operators: Sequence[Operator],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> bytes:
    """A flatbuffer of these tensors and operators.

    Args:
        tensors: each under a name of its own.
        operators: producers first.
        inputs: names of the model's inputs.
        outputs: names of the model's outputs.
    """
    builder = flatbuffers.Builder(1024)
    buffers, entries = [_table(builder, tflite.Buffer)], []
    for tensor in tensors:
        index = 0
        if tensor.values is not None:
            index = len(buffers)
            content = np.frombuffer(tensor.values.tobytes(), np.uint8)
            buffers.append(_table(builder, tflite.Buffer, Data=builder.CreateNumpyVector(content)))
        entries.append(_tensor(builder, tensor, index))
    position = {tensor.name: index for index, tensor in enumerate(tensors)}
    kinds = list(dict.fromkeys((operator.code, operator.version) for operator in operators))
    nodes = [
        _operator(builder, operator, kinds.index((operator.code, operator.version)), position)
        for operator in operators
    ]
    subgraph = _table(
        builder,
        tflite.SubGraph,
        Tensors=_offsets(builder, entries),
        Inputs=_indices(builder, [position[name] for name in inputs]),
        Outputs=_indices(builder, [position[name] for name in outputs]),
        Operators=_offsets(builder, nodes),
    )
    codes = [
        _table(
            builder,
            tflite.OperatorCode,
            DeprecatedBuiltinCode=min(code, _LARGEST_OLD_CODE),
            BuiltinCode=code,
            Version=version,
        )
        for code, version in kinds
    ]
    model = _table(
        builder,
        tflite.Model,
        Version=SCHEMA_VERSION,
        OperatorCodes=_offsets(builder, codes),
        Subgraphs=_offsets(builder, [subgraph]),
        Buffers=_offsets(builder, buffers),
    )
    builder.Finish(model, IDENTIFIER)
    return bytes(builder.Output())


def _operator(builder: Any, operator: Operator, kind: int, position: dict[str, int]) -> int:
    fields = {
        "OpcodeIndex": kind,
        "Inputs": _indices(builder, [position[name] for name in operator.inputs]),
        "Outputs": _indices(builder, [position[name] for name in operator.outputs]),
    }
    if operator.options is not None:
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, operator.options.__name__)
        fields["BuiltinOptions"] = _table(builder, operator.options, **operator.settings)
    return _table(builder, tflite.Operator, **fields)


def _tensor(builder: Any, tensor: Tensor, buffer: int) -> int:
    fields = {
        "Shape": _indices(builder, list(tensor.shape)),
        "Type": TENSOR_TYPES[np.dtype(tensor.dtype)],
        "Buffer": buffer,
        "Name": builder.CreateString(tensor.name),
    }
    if tensor.scales is not None:
        zeros = np.full(len(tensor.scales), tensor.zero, np.int64)
        fields["Quantization"] = _table(
            builder,
            tflite.QuantizationParameters,
            Scale=builder.CreateNumpyVector(tensor.scales.astype(np.float32)),
            ZeroPoint=builder.CreateNumpyVector(zeros),
            QuantizedDimension=tensor.axis,
        )
    return _table(builder, tflite.Tensor, **fields)


def _table(builder: Any, table: Any, **fields: int) -> int:
    """A flatbuffer table; its fields are integers, enumerators or offsets written before."""
    name = table.__name__
    getattr(tflite, f"{name}Start")(builder)
    for entry, value in fields.items():
        getattr(tflite, f"{name}Add{entry}")(builder, value)
    end: int = getattr(tflite, f"{name}End")(builder)
    return end


def _indices(builder: Any, values: list[int]) -> int:
    offset: int = builder.CreateNumpyVector(np.array(values, np.int32))
    return offset


def _offsets(builder: Any, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    end: int = builder.EndVector()
    return end
