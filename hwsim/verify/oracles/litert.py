"""LiteRT (TensorFlow Lite) as an oracle, on flatbuffers of one operator and of whole graphs."""

from collections.abc import Sequence

import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from hwsim.verify.oracles.addition_cases import QuantizedAddition
from hwsim.verify.oracles.cases import QuantizedConvolution
from quant.graph import Graph, Size
from quant.interchange.tflite_flatbuffer import Operator, Tensor, model_bytes
from quant.interchange.tflite_writer import tflite_model

CONVOLUTION_VERSION = 5  # the first that takes all of int8, int16x8 and per-channel weights
ADDITION_VERSION = 2  # the first that takes int8

_VERSION_SLOT = 8  # of an OperatorCode's ``version`` in its vtable

REFERENCE = OpResolverType.BUILTIN_REF
OPTIMIZED = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
DEFAULT = OpResolverType.AUTO
"""Which kernels run: reference, optimized, or optimized behind the XNNPACK delegate."""


def convolution(case: QuantizedConvolution, kernels: OpResolverType) -> NDArray[np.int32]:
    """Output codes of CONV_2D, int32 [height, width, out_channels].

    Args:
        case: of 8-bit feature maps, or of 16-bit ones with zero points 0.
        kernels: one of `REFERENCE`, `OPTIMIZED`, `DEFAULT`.
    """
    return run(_convolution_model(case), kernels, [case.codes])


def addition(case: QuantizedAddition, kernels: OpResolverType) -> NDArray[np.int32]:
    """Output codes of ADD, int32 [height, width, channels]; arguments as of `convolution`."""
    return run(_addition_model(case), kernels, case.codes)


def network(graph: Graph, image: NDArray[np.int32], kernels: OpResolverType) -> NDArray[np.int32]:
    """Output codes of a whole graph, int32 [height, width, channels].

    Args:
        graph: in the convention of the kernels.
        image: int32 [height, width, channels], codes of the input.
        kernels: one of `REFERENCE`, `DEFAULT`.
    """
    convention = {REFERENCE: "tflite_double", DEFAULT: "xnnpack"}[kernels]
    return run(tflite_model(graph, Size(*image.shape[:2]), convention), kernels, [image])


def model_file(content: bytes, image: NDArray[np.int32]) -> NDArray[np.int32]:
    """Output codes of a model somebody else wrote, by the reference kernels.

    LiteRT registers its reference kernel of DEPTH_TO_SPACE as that of version 1; 2 is the same for
    8-bit codes, so it is called 1.

    Args:
        content: the file.
        image: int32 [height, width, channels], codes of the input.
    """
    patched = bytearray(content)
    model = tflite.Model.GetRootAsModel(patched, 0)
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        if code.BuiltinCode() == tflite.BuiltinOperator.DEPTH_TO_SPACE and code.Version() > 1:
            position = code._tab.Pos + code._tab.Offset(_VERSION_SLOT)
            patched[position : position + 4] = (1).to_bytes(4, "little")
    return run(bytes(patched), REFERENCE, [image])


def run(
    model: bytes, kernels: OpResolverType, images: Sequence[NDArray[np.int32]]
) -> NDArray[np.int32]:
    """Output codes of a model's one output for codes of its inputs, both without a batch.

    The model's inputs take the images' shapes, whatever they were when it was written.
    """
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=kernels, num_threads=1
    )
    for source, image in zip(interpreter.get_input_details(), images, strict=True):
        interpreter.resize_tensor_input(source["index"], (1, *image.shape))
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
    operator = Operator(
        tflite.BuiltinOperator.CONV_2D,
        CONVOLUTION_VERSION,
        ["image", "weight", "bias"],
        ["codes"],
        tflite.Conv2DOptions,
        {
            "Padding": tflite.Padding.SAME if case.keep_size else tflite.Padding.VALID,
            "StrideH": 1,
            "StrideW": 1,
            "FusedActivationFunction": _activation(case.relu),
        },
    )
    return model_bytes(tensors, [operator], ["image"], ["codes"])


def _addition_model(case: QuantizedAddition) -> bytes:
    shape = (1, *case.codes[0].shape)
    names = ("first", "second", "codes")
    scales, zeros = (*case.scales, case.output_scale), (*case.zeros, case.output_zero)
    tensors = [
        Tensor(name, shape, np.int8, np.array([scale], np.float32), zero)
        for name, scale, zero in zip(names, scales, zeros, strict=True)
    ]
    operator = Operator(
        tflite.BuiltinOperator.ADD,
        ADDITION_VERSION,
        names[:2],
        names[2:],
        tflite.AddOptions,
        {"FusedActivationFunction": _activation(case.relu)},
    )
    return model_bytes(tensors, [operator], names[:2], names[2:])


def _activation(relu: bool) -> int:
    kinds = tflite.ActivationFunctionType
    activation: int = kinds.RELU if relu else kinds.NONE
    return activation
