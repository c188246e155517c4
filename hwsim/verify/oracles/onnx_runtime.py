"""ONNX Runtime as an oracle: QLinearConv on models of one operator."""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from hwsim.verify.oracles.cases import QuantizedConvolution

OPSET = 13
IR_VERSION = 8
"""Of the models: old enough for every ONNX Runtime of the last years."""


def convolution(case: QuantizedConvolution) -> NDArray[np.int32]:
    """Output codes of QLinearConv, int32 [height, width, out_channels]."""
    element = np.dtype(str(case.input).replace("s", "int").replace("u", "uint"))
    constants = {
        "input_scale": np.float32(case.input_scale),
        "input_zero": element.type(case.input_zero),
        "weight": case.weight.transpose(0, 3, 1, 2).astype(np.int8),
        "weight_scale": case.weight_scales,
        "weight_zero": np.zeros(len(case.weight), np.int8),
        "output_scale": np.float32(case.output_scale),
        "output_zero": element.type(case.output_zero),
        "bias": case.bias.astype(np.int32),
    }
    node = helper.make_node(
        "QLinearConv", ["image", *constants], ["codes"], pads=[*case.padding] * 2
    )
    image = case.codes.transpose(2, 0, 1)[None].astype(element)
    codes: NDArray[np.int32] = _run(node, constants, image)[0].transpose(1, 2, 0).astype(np.int32)
    return codes


def _run(node: Any, constants: dict[str, Any], image: NDArray[Any]) -> NDArray[Any]:
    """The output of a model of one node on one image; both tensors are of the image's type."""
    element = helper.np_dtype_to_tensor_dtype(image.dtype)
    graph = helper.make_graph(
        [node],
        "one_operator",
        [helper.make_tensor_value_info("image", element, image.shape)],
        [helper.make_tensor_value_info("codes", element, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    codes: NDArray[Any] = session.run(["codes"], {"image": image})[0]
    return codes
