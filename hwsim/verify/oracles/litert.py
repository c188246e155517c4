"""LiteRT (TensorFlow Lite) as an oracle, on flatbuffers of one operator, built by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from hwsim.verify.oracles.addition_cases import QuantizedAddition
from hwsim.verify.oracles.cases import QuantizedConvolution

SCHEMA_VERSION = 3
CONVOLUTION_VERSION = 5  # the first that takes all of int8, int16x8 and per-channel weights
ADDITION_VERSION = 2  # the first that takes int8
TENSOR_TYPES = {
    np.dtype(np.int8): tflite.TensorType.INT8,
    np.dtype(np.int16): tflite.TensorType.INT16,
    np.dtype(np.int32): tflite.TensorType.INT32,
    np.dtype(np.int64): tflite.TensorType.INT64,
}

REFERENCE = OpResolverType.BUILTIN_REF
OPTIMIZED = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
DEFAULT = OpResolverType.AUTO
"""Which kernels run: reference, optimized, or optimized behind the XNNPACK delegate."""


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One tensor of a model: its values where they are constant, else only its shape and type."""

    name: str
    shape: tuple[int, ...]
    dtype: Any
    scales: NDArray[np.float32]
    zero: int = 0
    values: NDArray[Any] | None = None


def convolution(case: QuantizedConvolution, kernels: OpResolverType) -> NDArray[np.int32]:
    """Output codes of CONV_2D, int32 [height, width, out_channels].

    Args:
        case: of 8-bit feature maps, or of 16-bit ones with zero points 0.
        kernels: one of `REFERENCE`, `OPTIMIZED`, `DEFAULT`.
    """
    return _run(_convolution_model(case), kernels, [case.codes])


def addition(case: QuantizedAddition, kernels: OpResolverType) -> NDArray[np.int32]:
    """Output codes of ADD, int32 [height, width, channels]; arguments as of `convolution`."""
    return _run(_addition_model(case), kernels, case.codes)


def _run(
    model: bytes, kernels: OpResolverType, images: Sequence[NDArray[np.int32]]
) -> NDArray[np.int32]:
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=kernels, num_threads=1
    )
    interpreter.allocate_tensors()
    for source, image in zip(interpreter.get_input_details(), images, strict=True):
        interpreter.set_tensor(source["index"], image[None].astype(source["dtype"]))
    interpreter.invoke()
    (target,) = interpreter.get_output_details()
    codes: NDArray[np.int32] = interpreter.get_tensor(target["index"])[0].astype(np.int32)
    return codes


def _convolution_model(case: QuantizedConvolution) -> bytes:
    feature_map, bias = (np.int8, np.int32) if case.input.bits == 8 else (np.int16, np.int64)
    input_scale = np.array([case.input_scale], np.float32)
    output_scale = np.array([case.output_scale], np.float32)
    rows, columns = case.padding
    height = case.codes.shape[0] + 2 * rows - case.weight.shape[1] + 1
    width = case.codes.shape[1] + 2 * columns - case.weight.shape[2] + 1
    outputs = len(case.weight)
    tensors = [
        Tensor("image", (1, *case.codes.shape), feature_map, input_scale, case.input_zero),
        Tensor(
            "weight", case.weight.shape, np.int8, case.weight_scales, 0, case.weight.astype(np.int8)
        ),
        Tensor(
            "bias", (outputs,), bias, input_scale * case.weight_scales, 0, case.bias.astype(bias)
        ),
        Tensor("codes", (1, height, width, outputs), feature_map, output_scale, case.output_zero),
    ]
    builder = flatbuffers.Builder(1024)
    options = _table(
        builder,
        tflite.Conv2DOptions,
        Padding=tflite.Padding.SAME if case.keep_size else tflite.Padding.VALID,
        StrideH=1,
        StrideW=1,
        FusedActivationFunction=_activation(case.relu),
    )
    return _one_operator_model(
        builder,
        tensors,
        tflite.BuiltinOperator.CONV_2D,
        CONVOLUTION_VERSION,
        (tflite.BuiltinOptions.Conv2DOptions, options),
    )


def _addition_model(case: QuantizedAddition) -> bytes:
    shape = (1, *case.codes[0].shape)
    names = ("first", "second", "codes")
    scales, zeros = (*case.scales, case.output_scale), (*case.zeros, case.output_zero)
    tensors = [
        Tensor(name, shape, np.int8, np.array([scale], np.float32), zero)
        for name, scale, zero in zip(names, scales, zeros, strict=True)
    ]
    builder = flatbuffers.Builder(1024)
    options = _table(builder, tflite.AddOptions, FusedActivationFunction=_activation(case.relu))
    return _one_operator_model(
        builder,
        tensors,
        tflite.BuiltinOperator.ADD,
        ADDITION_VERSION,
        (tflite.BuiltinOptions.AddOptions, options),
    )


def _activation(relu: bool) -> int:
    kinds = tflite.ActivationFunctionType
    activation: int = kinds.RELU if relu else kinds.NONE
    return activation


def _one_operator_model(
    builder: Any,
    tensors: list[Tensor],
    operator: int,
    version: int,
    options: tuple[int, int],
) -> bytes:
    """A model of one operator that reads all tensors but the last and writes that one."""
    empty = _table(builder, tflite.Buffer)
    buffers, entries = [empty], []
    for tensor in tensors:
        index = 0
        if tensor.values is not None:
            index = len(buffers)
            content = np.frombuffer(tensor.values.tobytes(), np.uint8)
            buffers.append(_table(builder, tflite.Buffer, Data=builder.CreateNumpyVector(content)))
        entries.append(_tensor(builder, tensor, index))
    last = len(tensors) - 1
    constant = [index for index, tensor in enumerate(tensors) if tensor.values is not None]
    variable = [index for index in range(last) if index not in constant]
    node = _table(
        builder,
        tflite.Operator,
        OpcodeIndex=0,
        Inputs=_indices(builder, list(range(last))),
        Outputs=_indices(builder, [last]),
        BuiltinOptionsType=options[0],
        BuiltinOptions=options[1],
    )
    subgraph = _table(
        builder,
        tflite.SubGraph,
        Tensors=_offsets(builder, entries),
        Inputs=_indices(builder, variable),
        Outputs=_indices(builder, [last]),
        Operators=_offsets(builder, [node]),
    )
    code = _table(
        builder,
        tflite.OperatorCode,
        DeprecatedBuiltinCode=min(operator, 127),
        BuiltinCode=operator,
        Version=version,
    )
    model = _table(
        builder,
        tflite.Model,
        Version=SCHEMA_VERSION,
        OperatorCodes=_offsets(builder, [code]),
        Subgraphs=_offsets(builder, [subgraph]),
        Buffers=_offsets(builder, buffers),
    )
    builder.Finish(model, b"TFL3")
    return bytes(builder.Output())


def _tensor(builder: Any, tensor: Tensor, buffer: int) -> int:
    zeros = np.full(len(tensor.scales), tensor.zero, np.int64)
    quantization = _table(
        builder,
        tflite.QuantizationParameters,
        Scale=builder.CreateNumpyVector(tensor.scales.astype(np.float32)),
        ZeroPoint=builder.CreateNumpyVector(zeros),
        QuantizedDimension=0,
    )
    return _table(
        builder,
        tflite.Tensor,
        Shape=_indices(builder, list(tensor.shape)),
        Type=TENSOR_TYPES[np.dtype(tensor.dtype)],
        Buffer=buffer,
        Name=builder.CreateString(tensor.name),
        Quantization=quantization,
    )


def _table(builder: Any, table: Any, **fields: int) -> int:
    """A flatbuffer table; its fields are integers, enumerators or offsets written before."""
    name = table.__name__
    getattr(tflite, f"{name}Start")(builder)
    for field, value in fields.items():
        getattr(tflite, f"{name}Add{field}")(builder, value)
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
