"""Quantized ONNX models as graphs: what operators become, and what is refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.machine import REFERENCE, run_layerwise
from quant.common.errors import UserError
from quant.graph import (
    Convolution,
    Graph,
    IntegerType,
    LookupTable,
    NearestResize,
    PixelShuffle,
    TransposedConvolution,
)
from quant.graph.types import Padding

pytest.importorskip("onnx", reason="needs onnx, of the extra [onnx]")

from onnx import TensorProto

from quant.interchange.onnx_model import load_model
from quant.interchange.onnx_reader import graph_of, is_quantized, read_onnx
from tests.unit.interchange.onnx_files import (
    QONNX,
    WEIGHT,
    Node,
    codes,
    constants,
    graph_proto,
    model_proto,
    write,
)

CONVOLUTION: list[Node] = [
    *codes(),
    WEIGHT,
    ("Conv", ["image_r", "weight_r"], ["conv"], {"pads": [1, 1, 1, 1]}),
]
OUT: Node = ("DequantizeLinear", ["conv_q", "out_step", "zero"], ["out"], {})
QUANTIZED: Node = ("QuantizeLinear", ["conv", "out_step", "zero"], ["conv_q"], {})
OUT_STEP = np.float32(0.02)


def read(folder: Path, nodes: list[Node], more: dict[str, Any] | None = None, **ends: Any) -> Graph:
    made = graph_proto(nodes, constants(out_step=OUT_STEP, **(more or {})), **ends)
    return graph_of(load_model(write(model_proto(made), folder)))


def problems(folder: Path, nodes: list[Node], more: dict[str, Any] | None = None) -> str:
    with pytest.raises(UserError) as raised:
        read(folder, nodes, more)
    start = f"{folder / 'small.onnx'}: expected quantized operators that the integer graph has, "
    end = "; replace them, or give the float model and quantize it here (--method, --bits)"
    message = str(raised.value)
    assert message.startswith(start + "found ")
    assert message.endswith(end)
    return message.removeprefix(start + "found ").removesuffix(end)


def test_a_convolution_between_qdq_pairs(tmp_path: Path) -> None:
    graph = read(tmp_path, [*CONVOLUTION, QUANTIZED, OUT])
    assert [node.operator.kind for node in graph.nodes] == ["input", "convolution"]
    operator = graph.node("conv").operator
    assert isinstance(operator, Convolution)
    assert operator.requantization.rounding == "onnxruntime"
    assert operator.padding == Padding.even(1, 1)
    assert operator.weight[1, 2, 2].tolist() == [8, 17, 26]
    assert "exact_instead_of_float32" not in graph.metadata


def test_a_clamp_that_codes_do_not_make_is_exact(tmp_path: Path) -> None:
    nodes: list[Node] = [
        *CONVOLUTION,
        ("Clip", ["conv", "least", "most"], ["limited"], {}),
        ("QuantizeLinear", ["limited", "out_step", "zero"], ["conv_q"], {}),
        OUT,
    ]
    graph = read(tmp_path, nodes, {"least": np.float32(0), "most": np.float32(1)})
    operator = graph.node("conv").operator
    assert isinstance(operator, Convolution)
    assert (operator.requantization.low, operator.requantization.high) == (0, 50)
    assert operator.requantization.rounding == "half_even"
    assert graph.metadata["exact_instead_of_float32"] == "conv"


def test_pads_before_a_convolution_join_it(tmp_path: Path) -> None:
    nodes: list[Node] = [
        *codes(),
        WEIGHT,
        ("Pad", ["image_r", "sides"], ["padded"], {}),
        ("Conv", ["padded", "weight_r"], ["conv"], {}),
        QUANTIZED,
        OUT,
    ]
    sides = np.array([0, 0, 1, 2, 0, 0, 2, 0])
    operator = read(tmp_path, nodes, {"sides": sides}).node("conv").operator
    assert isinstance(operator, Convolution)
    assert str(operator.padding) == "(1, 2, 2, 0)"


def test_a_transposed_convolution_is_turned_and_exact(tmp_path: Path) -> None:
    nodes: list[Node] = [
        *codes(),
        ("DequantizeLinear", ["kernel", "kernel_step", "kernel_zero"], ["kernel_r"], {"axis": 1}),
        ("ConvTranspose", ["image_r", "kernel_r"], ["conv"], {"strides": [2, 2], "pads": [1] * 4,
                                                             "output_padding": [1, 1]}),
        QUANTIZED,
        OUT,
    ]  # fmt: skip
    kernel = np.arange(54, dtype=np.int8).reshape(3, 2, 3, 3)
    steps = np.array([0.01, 0.02], np.float32)
    more = {"kernel": kernel, "kernel_step": steps, "kernel_zero": np.zeros(2, np.int8)}
    graph = read(tmp_path, nodes, more)
    operator = graph.node("conv").operator
    assert isinstance(operator, TransposedConvolution)
    assert (operator.weight[:, ::-1, ::-1].transpose(3, 0, 1, 2) == kernel).all()
    assert str(operator.padding) == "(1, 2, 1, 2)"
    assert int(graph.scale()) == 2


def test_only_moves_stay_moves(tmp_path: Path) -> None:
    nodes: list[Node] = [
        ("DepthToSpace", ["image"], ["shuffled"], {"blocksize": 2, "mode": "CRD"}),
        ("Resize", ["shuffled", "", "factors"], ["out"], {"mode": "nearest",
            "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    ]  # fmt: skip
    graph = read(
        tmp_path, nodes, {"factors": np.array([1, 1, 3, 3], np.float32)},
        channels=12, element=TensorProto.UINT8, output_element=TensorProto.UINT8,
    )  # fmt: skip
    shuffle, resize = (node.operator for node in graph.nodes[1:])
    assert isinstance(shuffle, PixelShuffle)
    assert (shuffle.factor, shuffle.order) == (2, "crd")
    assert isinstance(resize, NearestResize)
    assert resize.factor == 3


def test_split_channels_come_out_as_they_were(tmp_path: Path) -> None:
    nodes: list[Node] = [
        *codes(),
        ("Split", ["image_r", "sizes"], ["one", "two"], {"axis": 1}),
        ("Concat", ["two", "one"], ["conv"], {"axis": 1}),
        ("QuantizeLinear", ["conv", "step", "zero"], ["conv_q"], {}),
        ("DequantizeLinear", ["conv_q", "step", "zero"], ["out"], {}),
    ]
    graph = read(tmp_path, nodes, {"sizes": np.array([1, 2])})
    image = np.arange(2 * 3 * 3, dtype=np.int32).reshape(2, 3, 3)
    assert (run_layerwise(graph, image, REFERENCE) == image[..., [1, 2, 0]]).all()


def test_channels_may_come_last_at_the_ends(tmp_path: Path) -> None:
    nodes: list[Node] = [
        ("Transpose", ["image"], ["first"], {"perm": [0, 3, 1, 2]}),
        ("DepthToSpace", ["first"], ["shuffled"], {"blocksize": 1}),
        ("Transpose", ["shuffled"], ["out"], {"perm": [0, 2, 3, 1]}),
    ]
    made = graph_proto(nodes, {}, element=TensorProto.INT8, output_element=TensorProto.INT8)
    for axis, size in zip(made.input[0].type.tensor_type.shape.dim, (1, 8, 9, 3), strict=True):
        axis.dim_value = size
    graph = graph_of(load_model(write(model_proto(made), tmp_path)))
    assert str(graph.input.output) == "3×s8"


def test_real_ends_are_pixels(tmp_path: Path) -> None:
    nodes: list[Node] = [
        *codes("half", "middle"),
        ("LeakyRelu", ["image_r"], ["curved"], {"alpha": 0.5}),
        ("QuantizeLinear", ["curved", "out_step", "zero"], ["conv_q"], {}),
        OUT,
    ]
    made = graph_proto(
        nodes,
        constants(out_step=np.float32(2), half=np.float32(0.5), middle=np.uint8(4)),
    )
    path = write(model_proto(made), tmp_path)
    graph = read_onnx(path, white=255.0)
    image = np.array([0, 1, 3, 200], np.int32).reshape(1, 4, 1).repeat(3, 2)
    # 0 1 3 125.5, then in steps of 2 the even one of two that are as near
    assert run_layerwise(graph, image, REFERENCE)[0, :, 0].tolist() == [0, 0, 4, 126]
    assert str(graph.node(graph.output).output) == "3×u8"


@pytest.mark.parametrize(("scale", "white"), [(1.0, 255.0), (0.9, 255.0), (0.0035, 1.0)])
@pytest.mark.parametrize("width", [False, True], ids=["QuantizeLinear", "Quant"])
def test_codes_of_the_image_say_what_white_is(
    scale: float, white: float, width: bool, tmp_path: Path
) -> None:
    quantized = ("step", "nothing", "eight") if width else ("step", "zero")
    nodes: list[Node] = [
        ("Transpose", ["image"], ["first"], {"perm": [0, 3, 1, 2]}),
        (f"{QONNX}:Quant" if width else "QuantizeLinear", ["first", *quantized], ["codes"], {}),
        ("Identity", ["codes"], ["out"], {})
        if width
        else ("DequantizeLinear", ["codes", "step", "zero"], ["out"], {}),
    ]
    more = {"step": np.float32(scale), "nothing": np.float32(0), "eight": np.float32(8)}
    made = graph_proto(nodes, constants(**more))
    dimensions = made.input[0].type.tensor_type.shape.dim
    for dimension, size in zip(dimensions, (1, 9, 11, 3), strict=True):
        dimension.dim_value = size
    graph = read_onnx(write(model_proto(made), tmp_path))
    assert graph.input.output.encoding.scale == np.float32(white / 255)


def test_a_result_that_is_not_quantized_becomes_pixels(tmp_path: Path) -> None:
    nodes: list[Node] = [
        *CONVOLUTION,
        ("DepthToSpace", ["conv"], ["moved"], {"blocksize": 1}),
        ("Clip", ["moved", "least", "most"], ["out"], {}),
    ]
    graph = read(tmp_path, nodes, {"least": np.float32(0.2), "most": np.float32(0.6)})
    operator = graph.node("conv").operator
    assert isinstance(operator, Convolution)
    assert (operator.requantization.low, operator.requantization.high) == (51, 153)
    assert graph.node(graph.output).output.encoding.scale == np.float32(1 / 255)
    assert graph.metadata["exact_instead_of_float32"] == "conv"


def test_codes_of_any_width(tmp_path: Path) -> None:
    nodes: list[Node] = [
        (f"{QONNX}:Quant", ["image", "pixel", "nothing", "eight"], ["image_r"], {"signed": 0}),
        (f"{QONNX}:Quant", ["kernel", "quarter", "nothing", "three"], ["kernel_r"],
         {"signed": 1, "narrow": 1}),
        ("Conv", ["image_r", "kernel_r"], ["conv"], {}),
        (f"{QONNX}:Quant", ["conv", "eighth", "nothing", "five"], ["out"],
         {"signed": 1, "narrow": 0, "rounding_mode": "FLOOR"}),
    ]  # fmt: skip
    more = {name: np.float32(value) for name, value in {
        "pixel": 1 / 256, "quarter": 0.25, "eighth": 0.125, "nothing": 0, "eight": 8, "three": 3,
        "five": 5}.items()}  # fmt: skip
    kernel = np.array([0.3, -0.8, 2.0], np.float32).reshape(1, 3, 1, 1)
    made = graph_proto(nodes, more | {"kernel": kernel})
    graph = graph_of(load_model(write(model_proto(made), tmp_path)), white=255 / 256)
    operator = graph.node("conv").operator
    assert isinstance(operator, Convolution)
    assert operator.weight.reshape(-1).tolist() == [1, -3, 3]
    assert (operator.weight_type, operator.requantization.rounding) == (
        IntegerType.parse("s3"), "floor",
    )  # fmt: skip
    image = np.array([[[0, 20, 0], [90, 0, 10], [255, 0, 255]]], np.int32)
    # (1·0 − 3·20) / 128 = −0.47, 120 / 128 = 0.94, 1020 / 128 = 7.97
    assert run_layerwise(graph, image, REFERENCE)[0, :, 0].tolist() == [-1, 0, 7]


def test_scales_of_channels_may_all_be_the_same(tmp_path: Path) -> None:
    nodes = [*codes(), ("QuantizeLinear", ["image_r", "several", "zeros"], ["out"], {})]
    more = {"several": np.full(7, 0.01, np.float32), "zeros": np.zeros(7, np.uint8)}
    made = graph_proto(nodes, constants(**more), output_element=TensorProto.UINT8)
    graph = graph_of(load_model(write(model_proto(made), tmp_path)))
    encoding = graph.node("out").output.encoding
    assert (encoding.scale, encoding.zero_point) == (float(np.float32(0.01)), (0,))


def test_one_bit_codes_are_signs(tmp_path: Path) -> None:
    nodes: list[Node] = [
        (f"{QONNX}:Quant", ["image", "pixel", "nothing", "eight"], ["image_r"], {"signed": 0}),
        (f"{QONNX}:BipolarQuant", ["kernel", "pixel"], ["kernel_r"], {}),
        ("Conv", ["image_r", "kernel_r"], ["conv"], {}),
        (f"{QONNX}:BipolarQuant", ["conv", "half"], ["out"], {}),
    ]
    more = {"pixel": np.float32(1 / 256), "nothing": np.float32(0), "eight": np.float32(8)}
    kernel = np.array([0.3, -0.8, 0.0], np.float32).reshape(1, 3, 1, 1)
    made = graph_proto(nodes, more | {"kernel": kernel, "half": np.float32(0.5)})
    graph = graph_of(load_model(write(model_proto(made), tmp_path)), white=255 / 256)
    operator = graph.node("conv.halves").operator
    assert isinstance(operator, Convolution)
    assert operator.weight.reshape(-1).tolist() == [1, -1, 1]
    assert isinstance(graph.node("conv").operator, LookupTable)
    image = np.array([[[5, 7, 1], [5, 6, 1], [9, 0, 0]]], np.int32)
    assert run_layerwise(graph, image, REFERENCE)[0, :, 0].tolist() == [-1, 1, 1]


def test_every_operator_that_is_none_is_named(tmp_path: Path) -> None:
    nodes: list[Node] = [
        *CONVOLUTION,
        ("Softmax", ["image_r"], ["soft"], {}),
        ("MaxPool", ["image_r"], ["largest"], {"kernel_shape": [2, 2]}),
        ("Mul", ["soft", "largest"], ["product"], {}),
        ("Conv", ["image_r", "weight"], ["plain"], {}),
        ("Sub", ["image_r", "image_r"], ["less"], {}),
        ("Add", ["product", "conv"], ["out"], {}),
    ]
    assert problems(tmp_path, nodes) == (
        "Softmax 'soft' (not known); MaxPool 'largest' (not known); Conv 'plain' (weights that are "
        "not quantized constants of four axes); Sub 'less' (of two feature maps)"
    )


QUANT: Node = (f"{QONNX}:Quant", ["image", "step", "nothing", "width"], ["image_r"], {})
BROKEN: dict[str, tuple[list[Node], dict[str, Any]]] = {
    "com.microsoft.QLinearAdd 'sum' (of no feature map)": (
        [("com.microsoft:QLinearAdd", ["c", "step", "zero"] * 2 + ["step", "zero"], ["sum"], {})],
        {"c": np.ones((3, 1, 1), np.uint8)},
    ),
    "QuantizeLinear 'moved' (a feature map with a scale for each channel)": (
        [*codes(), ("QuantizeLinear", ["image_r", "several", "zeros"], ["moved"], {})],
        {"several": np.array([0.1, 0.2], np.float32), "zeros": np.zeros(2, np.uint8)},
    ),
    "PRelu 'curved' (no input 1)": ([*codes(), ("PRelu", ["image_r"], ["curved"], {})], {}),
    "Concat 'both' (of nothing)": ([("Concat", [], ["both"], {"axis": 1})], {}),
    "Clip 'cut' (a clamp by other than one number)": (
        [*codes(), ("Clip", ["image_r", "none"], ["cut"], {})],
        {"none": np.zeros(0, np.float32)},
    ),
    "BatchNormalization 'even' (statistics of different numbers of channels)": (
        [
            *codes(),
            ("BatchNormalization", ["image_r", "step", "step", "step", "two"], ["even"], {}),
        ],
        {"two": np.ones(2, np.float32)},
    ),
    "QuantizeLinear 'coded' (of no numbers, or such that are not finite)": (
        [("QuantizeLinear", ["none", "step", "zero"], ["coded"], {})],
        {"none": np.zeros(0, np.float32)},
    ),
    f"{QONNX}.Quant 'image_r' (a width of [nan] bits, not of 1 to 16)": (
        [QUANT],
        {"nothing": np.float32(0), "width": np.float32(np.nan)},
    ),
    f"{QONNX}.Quant 'image_r' (zero points that are no whole numbers below 2^31)": (
        [QUANT],
        {"nothing": np.float32(1e30), "width": np.float32(8)},
    ),
    "QuantizeLinear 'conv_q' (a feature map with a scale for each channel)": (
        [*CONVOLUTION, ("QuantizeLinear", ["conv", "several", "zeros"], ["conv_q"], {}), OUT],
        {"several": np.array([0.1, 0.2], np.float32), "zeros": np.zeros(2, np.uint8)},
    ),
    "DequantizeLinear 'weight_r' (scales that are not positive and finite)": (
        [*CONVOLUTION, QUANTIZED, OUT],
        {"weight_step": np.float32(-1)},
    ),
    "QuantizeLinear 'image_q' (scales for blocks of values)": (
        [("QuantizeLinear", ["image", "step", "zero"], ["image_q"], {"block_size": 2})],
        {},
    ),
    "LeakyRelu 'curved' (behind an operator whose result is not quantized)": (
        [*CONVOLUTION, ("LeakyRelu", ["conv"], ["curved"], {})],
        {},
    ),
    "Resize 'large' (a resize by [1.0, 1.0, 1.5, 1.5], no whole factor for height and width)": (
        [*codes(), ("Resize", ["image_r", "", "factors"], ["large"], {})],
        {"factors": np.array([1, 1, 1.5, 1.5], np.float32)},
    ),
}


@pytest.mark.parametrize("problem", BROKEN)
def test_what_is_wrong_with_an_operator_is_told(problem: str, tmp_path: Path) -> None:
    nodes, more = BROKEN[problem]
    merged = constants(out_step=OUT_STEP) | more
    made = graph_proto(nodes, merged, output=nodes[-1][2][0])
    path = write(model_proto(made), tmp_path)
    with pytest.raises(UserError) as raised:
        graph_of(load_model(path))
    assert f"found {problem};" in str(raised.value)


def test_channels_must_be_declared(tmp_path: Path) -> None:
    made = graph_proto([("Relu", ["image"], ["out"], {})], {})
    made.input[0].type.tensor_type.shape.dim[1].ClearField("dim_value")
    with pytest.raises(UserError, match="input 'image': expected four axes, up to 4096 channels"):
        graph_of(load_model(write(model_proto(made), tmp_path)))


def test_float_models_are_none(tmp_path: Path) -> None:
    plain = load_model(
        write(model_proto(graph_proto([("Relu", ["image"], ["out"], {})], {})), tmp_path)
    )
    assert not is_quantized(plain)
    quantized = graph_proto([*codes()], constants(), output="image_r")
    assert is_quantized(load_model(write(model_proto(quantized), tmp_path)))
