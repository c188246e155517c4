"""ONNX Runtime as an oracle: models of one quantized operator and of whole graphs."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from hwsim.verify.oracles.addition_cases import QuantizedAddition
from hwsim.verify.oracles.cases import QuantizedConvolution
from quant.graph import Graph, Size, TensorType
from quant.interchange.onnx_writer import EXTENSIONS, IR_VERSION, OPSET, element, onnx_model


def convolution(case: QuantizedConvolution) -> NDArray[np.int32]:
    """Output codes of QLinearConv, int32 [height, width, out_channels]."""
    kind = element(TensorType(1, case.input))
    weight, weight_zero = _weight(case)
    constants = {
        "input_scale": np.float32(case.input_scale),
        "input_zero": kind.type(case.input_zero),
        "weight": weight,
        "weight_scale": case.weight_scales,
        "weight_zero": np.repeat(weight_zero, len(weight)),
        "output_scale": np.float32(case.output_scale),
        "output_zero": kind.type(case.output_zero),
        "bias": case.bias.astype(np.int32),
    }
    node = helper.make_node(
        "QLinearConv", ["image", *constants], ["codes"], pads=[*case.padding] * 2
    )
    image = case.codes.transpose(2, 0, 1)[None].astype(kind)
    codes: NDArray[np.int32] = (
        run_node(node, constants, {"image": image})[0].transpose(1, 2, 0).astype(np.int32)
    )
    return codes


def sums(case: QuantizedConvolution) -> NDArray[np.int32]:
    """Sums of ConvInteger, int32 [height, width, out_channels]."""
    kind = element(TensorType(1, case.input))
    weight, weight_zero = _weight(case)
    constants = {
        "weight": weight,
        "input_zero": kind.type(case.input_zero),
        "weight_zero": weight_zero,
    }
    node = helper.make_node(
        "ConvInteger", ["image", *constants], ["codes"], pads=[*case.padding] * 2
    )
    image = case.codes.transpose(2, 0, 1)[None].astype(kind)
    found = run_node(node, constants, {"image": image}, np.dtype(np.int32))
    sums: NDArray[np.int32] = found[0].transpose(1, 2, 0)
    return sums


def _weight(case: QuantizedConvolution) -> tuple[NDArray[Any], np.generic]:
    """Weights as ONNX has them [O, I, KH, KW], and their zero point, of one type."""
    weight = case.weight.transpose(0, 3, 1, 2)
    if case.weight_zero is None:
        return weight.astype(np.int8), np.int8(0)
    return (weight + case.weight_zero).astype(np.uint8), np.uint8(case.weight_zero)


def addition(case: QuantizedAddition) -> NDArray[np.int32]:
    """Output codes of QLinearAdd, int32 [height, width, channels]."""
    kind = element(TensorType(1, case.integer))
    constants: dict[str, Any] = {}
    names = ("first", "second", "codes")
    scales, zeros = (*case.scales, case.output_scale), (*case.zeros, case.output_zero)
    for name, scale, zero in zip(names, scales, zeros, strict=True):
        constants |= {f"{name}_scale": np.float32(scale), f"{name}_zero": kind.type(zero)}
    parameters = list(constants)
    inputs = ["first", *parameters[:2], "second", *parameters[2:]]
    node = helper.make_node("QLinearAdd", inputs, ["codes"], domain=EXTENSIONS)
    images = {name: codes.astype(kind) for name, codes in zip(names[:2], case.codes, strict=True)}
    return run_node(node, constants, images).astype(np.int32)


def run_node(
    node: Any,
    constants: dict[str, Any],
    images: dict[str, NDArray[Any]],
    output: np.dtype[Any] | None = None,
) -> NDArray[Any]:
    """The output of a model of one node; all feature maps it reads are of one type.

    Args:
        node: an ONNX node with the output ``codes``.
        constants: by name.
        images: by name, as the node has them.
        output: type of the output; None: that of the images.
    """
    (element,) = {helper.np_dtype_to_tensor_dtype(image.dtype) for image in images.values()}
    made = element if output is None else helper.np_dtype_to_tensor_dtype(output)
    graph = helper.make_graph(
        [node],
        "one_operator",
        [
            helper.make_tensor_value_info(name, element, image.shape)
            for name, image in images.items()
        ],
        [helper.make_tensor_value_info("codes", made, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    operator_sets = [helper.make_opsetid("", OPSET), helper.make_opsetid(EXTENSIONS, 1)]
    model = helper.make_model(graph, opset_imports=operator_sets, ir_version=IR_VERSION)
    codes: NDArray[Any] = _session(model.SerializeToString()).run(["codes"], images)[0]
    return codes


def network(graph: Graph, image: NDArray[np.int32]) -> NDArray[np.int32]:
    """Output codes of a whole graph, int32 [height, width, channels].

    Args:
        graph: in the convention of ONNX Runtime.
        image: int32 [height, width, channels], codes of the input.
    """
    session = _session(onnx_model(graph, Size(*image.shape[:2])))
    batch = image.transpose(2, 0, 1)[None].astype(element(graph.input.output))
    (found,) = session.run([graph.output], {graph.input.name: batch})
    codes: NDArray[np.int32] = found[0].transpose(1, 2, 0).astype(np.int32)
    return codes


def _session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def model_file(content: bytes, image: NDArray[Any]) -> NDArray[Any]:
    """The output of a model somebody else wrote, [height, width, channels].

    The session is as it comes, with its optimizations, but for two that change what is computed:
    signed 8-bit codes stay signed between QuantizeLinear and DequantizeLinear, as they do on Arm
    (on x86 processors, they become unsigned where that is possible, and are computed with in
    float32 where it is not), and of two quantizations one after the other both are done.

    Args:
        content: the file.
        image: [height, width, channels], of the type of the model's input.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    session = onnxruntime.InferenceSession(
        content,
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["DoubleQDQPairsRemover"],
    )
    (source,) = session.get_inputs()
    (found,) = session.run(None, {source.name: image.transpose(2, 0, 1)[None]})
    result: NDArray[Any] = found[0].transpose(1, 2, 0)
    return result
