"""Models read back: what was written, what others wrote, and what is refused."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.machine import REFERENCE, run_layerwise
from quant.common.errors import UserError
from quant.graph import (
    CodeKind,
    Convolution,
    Encoding,
    Graph,
    Input,
    IntegerType,
    LookupTable,
    NearestResize,
    Node,
    ParametricRelu,
    Requantize,
    TensorType,
    TransposedConvolution,
)
from quant.graph.grids import Size
from tests.unit.interchange.small_graphs import small_graph

tflite = pytest.importorskip("tflite", reason="needs tflite, of the extra [verify]")

from quant.interchange.picture_ends import with_picture_ends  # noqa: E402
from quant.interchange.tflite_flatbuffer import Operator, Tensor, model_bytes  # noqa: E402
from quant.interchange.tflite_reader import read_pictures_tflite, read_tflite  # noqa: E402
from quant.interchange.tflite_writer import tflite_model  # noqa: E402

CODES = tflite.BuiltinOperator


def plain(value: object) -> Any:
    """Constants that can be compared with ==."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_dataclass(value):
        return [plain(getattr(value, field.name)) for field in fields(value)]
    return value


def read(content: bytes, folder: Path) -> Graph:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return read_tflite(path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    graph = small_graph("tflite_double")
    found = read(tflite_model(graph, Size(6, 8)), tmp_path)
    assert [node.name for node in found.nodes] == [node.name for node in graph.nodes]
    for node, again in zip(graph.nodes, found.nodes, strict=True):
        assert again.inputs == node.inputs
        assert plain(again.operator) == plain(node.operator)
        assert again.output.integer == node.output.integer
        assert again.output.encoding.zero_point == node.output.encoding.zero_point
        assert np.float32(again.output.encoding.scale) == np.float32(node.output.encoding.scale)


def feature_map(name: str, channels: int = 4, scale: float = 0.05, zero: int = 3) -> Tensor:
    return Tensor(name, (1, 6, 8, channels), np.int8, np.array([scale], np.float32), zero)


def constant(name: str, values: Any, scale: float, dtype: Any = np.int8, **more: Any) -> Tensor:
    content = np.array(values, dtype)
    scales = np.array([scale], np.float32)
    return Tensor(name, content.shape, dtype, scales, values=content, **more)


def one_operator(code: int, *tensors: Tensor, options: Any = None, **settings: int) -> bytes:
    """A model of one operator that reads all tensors but the last."""
    names = [tensor.name for tensor in tensors]
    operator = Operator(code, 1, names[:-1], names[-1:], options, settings)
    return model_bytes(tensors, [operator], ["image"], names[-1:])


def test_relu_alone_changes_the_encoding_and_clamps(tmp_path: Path) -> None:
    content = one_operator(CODES.RELU, feature_map("image"), feature_map("out", 4, 0.025, -128))
    operator = read(content, tmp_path).node("out").operator
    assert isinstance(operator, Requantize)
    given = operator.requantization
    assert (operator.bias.tolist(), given.low, given.high) == ([-3], -128, 127)
    assert given.multiplier[0] / 2.0 ** given.shift[0] == pytest.approx(2, rel=1e-6)


def test_relu6_ends_at_the_code_of_6(tmp_path: Path) -> None:
    content = one_operator(CODES.RELU6, feature_map("image"), feature_map("out", 4, 0.05, -100))
    operator = read(content, tmp_path).node("out").operator
    assert isinstance(operator, Requantize)
    assert (operator.requantization.low, operator.requantization.high) == (-100, 20)


@pytest.mark.parametrize(
    ("code", "clamp"), [(CODES.MINIMUM, (-128, 40)), (CODES.MAXIMUM, (40, 127))]
)
def test_limits_are_clamps(code: int, clamp: tuple[int, int], tmp_path: Path) -> None:
    limit = constant("limit", 40, 0.05, zero=3)
    content = one_operator(code, feature_map("image"), limit, feature_map("out"))
    operator = read(content, tmp_path).node("out").operator
    assert isinstance(operator, Requantize)
    assert (operator.requantization.low, operator.requantization.high) == clamp
    assert operator.requantization.multiplier.tolist() == [1]


def test_slopes_of_prelu_are_integers(tmp_path: Path) -> None:
    slope = constant("slope", [[[10, -20, 30, 40]]], 0.01, zero=5)
    content = one_operator(CODES.PRELU, feature_map("image"), slope, feature_map("out"))
    operator = read(content, tmp_path).node("out").operator
    assert isinstance(operator, ParametricRelu)
    assert operator.slope.tolist() == [5, -25, 25, 35]
    assert operator.bias == -3
    assert operator.positive.multiplier.tolist() == [2**30]
    factor = operator.negative.multiplier[0] / 2.0 ** operator.negative.shift[0]
    assert factor == pytest.approx(0.01, rel=1e-6)


def test_functions_are_tables(tmp_path: Path) -> None:
    content = one_operator(
        CODES.LOGISTIC, feature_map("image"), feature_map("out", 4, 2.0**-8, -128)
    )
    operator = read(content, tmp_path).node("out").operator
    assert isinstance(operator, LookupTable)
    assert operator.table.shape == (1, 256)
    assert operator.table[0, [128 + 3, 0, 255]].tolist() == [0, -128, 127]


def test_a_depthwise_convolution_has_a_group_for_each_channel(tmp_path: Path) -> None:
    values = np.arange(3 * 3 * 8).reshape(1, 3, 3, 8)
    weight = Tensor(
        "weight", values.shape, np.int8, np.full(8, 0.01, np.float32), 0, values.astype(np.int8), 3
    )
    content = one_operator(
        CODES.DEPTHWISE_CONV_2D, feature_map("image"), weight, feature_map("out", 8),
        options=tflite.DepthwiseConv2DOptions, Padding=tflite.Padding.SAME, StrideH=1, StrideW=1,
        DepthMultiplier=2, DilationHFactor=1, DilationWFactor=1,
        FusedActivationFunction=tflite.ActivationFunctionType.RELU,
    )  # fmt: skip
    operator = read(content, tmp_path).node("out").operator
    assert isinstance(operator, Convolution)
    assert (operator.groups, operator.weight.shape) == (4, (8, 3, 3, 1))
    assert operator.weight[5, :, :, 0].tolist() == values[0, :, :, 5].tolist()
    assert operator.requantization.low == 3
    assert str(operator.padding) == "(1, 1, 1, 1)"


def test_a_transposed_convolution_turns_its_kernel(tmp_path: Path) -> None:
    values = np.arange(2 * 9 * 4).reshape(2, 3, 3, 4)
    weight = constant("weight", values, 0.01)
    shape = Tensor("shape", (4,), np.int32, values=np.array([1, 12, 16, 2], np.int32))
    content = one_operator(
        CODES.TRANSPOSE_CONV, shape, weight, feature_map("image"), feature_map("out", 2),
        options=tflite.TransposeConvOptions, Padding=tflite.Padding.SAME, StrideH=2, StrideW=2,
    )  # fmt: skip
    graph = read(content, tmp_path)
    operator = graph.node("out").operator
    assert isinstance(operator, TransposedConvolution)
    assert (operator.weight[:, ::-1, ::-1] == values).all()
    assert graph.sizes(Size(6, 8))["out"] == Size(12, 16)
    assert str(operator.padding) == "(2, 1, 2, 1)"


def two_problems() -> bytes:
    tensors = [feature_map(name, 4, scale) for name, scale in
               (("image", 0.05), ("one", 0.05), ("two", 0.06), ("out", 0.05))]  # fmt: skip
    shuffle = tflite.DepthToSpaceOptions
    size = Tensor("size", (2,), np.int32, values=np.array([6, 8], np.int32))
    operators = [
        Operator(CODES.DEPTH_TO_SPACE, 1, ["image"], ["one"], shuffle, {"BlockSize": 3}),
        Operator(CODES.RESIZE_NEAREST_NEIGHBOR, 1, ["image", "size"], ["two"]),
        Operator(CODES.ADD, 1, ["one", "two"], ["out"]),
    ]
    return model_bytes([*tensors, size], operators, ["image"], ["out"])


def wide_convolution(bias_type: Any) -> bytes:
    """A 1×1 convolution of 16-bit feature maps and 8-bit weights."""
    image, out = (replace(feature_map(n, 4, 2.0**-10, 0), dtype=np.int16) for n in ("image", "out"))
    weight = constant("weight", np.arange(16).reshape(4, 1, 1, 4), 0.01)
    bias = constant("bias", [1, 2, 3, 4], 0.01 * 2.0**-10, bias_type)
    return one_operator(
        CODES.CONV_2D, image, weight, bias, out, options=tflite.Conv2DOptions, StrideH=1, StrideW=1,
        DilationHFactor=1, DilationWFactor=1,
    )  # fmt: skip


def test_wide_feature_maps_round_as_wide_sums(tmp_path: Path) -> None:
    operator = read(wide_convolution(np.int64), tmp_path).node("out").operator
    assert isinstance(operator, Convolution)
    assert operator.requantization.rounding == "tflite_s64"
    assert operator.bias.tolist() == [1, 2, 3, 4]


def test_zeros_around_are_those_of_the_convolution(tmp_path: Path) -> None:
    sides = Tensor(
        "sides", (4, 2), np.int32, values=np.array([[0, 0], [1, 2], [3, 0], [0, 0]], np.int32)
    )
    padded = Tensor("padded", (1, 9, 11, 4), np.int8, np.array([0.05], np.float32), 3)
    weight = constant("weight", np.arange(2 * 16 * 4).reshape(2, 4, 4, 4) % 7, 0.01)
    out = Tensor("out", (1, 6, 8, 2), np.int8, np.array([0.1], np.float32), 0)
    options = {"Padding": tflite.Padding.VALID, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1,
               "DilationWFactor": 1}  # fmt: skip
    operators = [
        Operator(CODES.PAD, 1, ["image", "sides"], ["padded"]),
        Operator(CODES.CONV_2D, 1, ["padded", "weight"], ["out"], tflite.Conv2DOptions, options),
    ]
    tensors = [feature_map("image"), sides, padded, weight, out]
    graph = read(model_bytes(tensors, operators, ["image"], ["out"]), tmp_path)
    operator = graph.node("out").operator
    assert isinstance(operator, Convolution)
    assert str(operator.padding) == "(1, 2, 3, 0)"
    assert operator.pad_code.tolist() == [3]


def test_runs_of_channels_are_taken_exactly(tmp_path: Path) -> None:
    bounds = [Tensor(name, (4,), np.int32, values=np.array(values, np.int32)) for name, values in
              (("begin", [0, 0, 0, 1]), ("end", [1, 6, 8, 3]), ("step", [1, 1, 1, 1]))]  # fmt: skip
    content = one_operator(
        CODES.STRIDED_SLICE, feature_map("image"), *bounds, feature_map("out", 2),
        options=tflite.StridedSliceOptions,
    )  # fmt: skip
    graph = read(content, tmp_path)
    codes = np.arange(-96, 96, dtype=np.int32).reshape(6, 8, 4)
    assert (run_layerwise(graph, codes, REFERENCE) == codes[..., 1:3]).all()


def test_real_ends_are_pixels(tmp_path: Path) -> None:
    """Quantized, halves away from zero, and back."""
    image, real = (Tensor(name, (1, 6, 8, 4), np.float32) for name in ("image", "real"))
    tensors = [image, feature_map("codes", 4, 2 / 255, -128), real]
    operators = [
        Operator(CODES.QUANTIZE, 1, ["image"], ["codes"]),
        Operator(CODES.DEQUANTIZE, 1, ["codes"], ["real"]),
    ]
    path = tmp_path / "model.tflite"
    path.write_bytes(model_bytes(tensors, operators, ["image"], ["real"]))
    graph = read_pictures_tflite(path)
    codes = np.arange(192, dtype=np.int32).reshape(6, 8, 4)
    assert (run_layerwise(graph, codes, REFERENCE) == (codes + 1) // 2 * 2).all()
    assert [str(graph.node(n).output) for n in (graph.input.name, graph.output)] == ["4×u8"] * 2


def test_codes_of_the_image_say_what_white_is(tmp_path: Path) -> None:
    image, real = (Tensor(name, (1, 6, 8, 4), np.float32) for name in ("image", "real"))
    tensors = [image, feature_map("codes", 4, 1.0, -128), real]
    operators = [
        Operator(CODES.QUANTIZE, 1, ["image"], ["codes"]),
        Operator(CODES.DEQUANTIZE, 1, ["codes"], ["real"]),
    ]
    path = tmp_path / "model.tflite"
    path.write_bytes(model_bytes(tensors, operators, ["image"], ["real"]))
    assert read_pictures_tflite(path).input.output.encoding.scale == 1
    assert read_pictures_tflite(path, 1.0).input.output.encoding.scale == 1 / 255


def test_wide_ends_are_pixels() -> None:
    image = TensorType(3, IntegerType(16, CodeKind.SIGNED), Encoding(1 / 32768))
    nodes = [Node("image", Input(), (), image), Node("same", NearestResize(1), ("image",), image)]
    graph = Graph.build("wide", nodes, "same")
    ended = with_picture_ends(graph, white=0.5)
    codes = np.arange(255, dtype=np.int32).reshape(1, 85, 3)
    assert (run_layerwise(ended, codes, REFERENCE) == codes).all()
    table = ended.nodes[1].operator
    assert isinstance(table, LookupTable)
    assert table.table[0, 255] == 16384


def _float_input() -> bytes:
    image = replace(feature_map("image"), dtype=np.int32)
    return one_operator(CODES.RELU, image, feature_map("out"))


REFUSED: dict[str, Callable[[], bytes]] = {
    "expected a TensorFlow Lite file (.tflite), found something else; give a file that TensorFlow "
    "Lite's converter wrote": lambda: b"no model at all",
    "tensor 'image': expected codes of INT8, UINT8, INT16, found INT32; convert the network with "
    "full integer quantization, or without such operators": _float_input,
    "tensor 'out': expected one of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, ADD, MUL, QUANTIZE, "
    "DEQUANTIZE, RELU, RELU6, RELU_N1_TO_1, PRELU, LEAKY_RELU, TANH, LOGISTIC, MINIMUM, MAXIMUM, "
    "DEPTH_TO_SPACE, CONCATENATION, RESIZE_NEAREST_NEIGHBOR, RESIZE_BILINEAR, AVERAGE_POOL_2D, "
    "PAD, PADV2, SPLIT, STRIDED_SLICE, found ABS; convert the network with full integer "
    "quantization, or without such operators": (
        lambda: one_operator(CODES.ABS, feature_map("image"), feature_map("out"))
    ),
    "tensor 'out': expected one constant of the operand's encoding, found another; convert the "
    "network with full integer quantization, or without such operators": lambda: one_operator(
        CODES.MINIMUM, feature_map("image"), constant("limit", 4, 0.06), feature_map("out")
    ),
    "tensor 'one': expected blocks that divide the channels, found 4 in 3; tensor 'two': expected "
    "one encoding for what it reads and makes, found two; convert the network with full integer "
    "quantization, or without such operators": lambda: two_problems(),
    "tensor 'out': expected 4 biases of INT64, found 4 of INT32; convert the network with full "
    "integer quantization, or without such operators": lambda: wide_convolution(np.int32),
    "tensor 'out': expected whole numbers as input 2, found float32; convert the network with full "
    "integer quantization, or without such operators": lambda: wide_convolution(np.float32),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_no_graph_can_be_made_of(message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        read(REFUSED[message](), tmp_path)
    assert str(raised.value) == f"{tmp_path / 'model.tflite'}: {message}"


@pytest.mark.parametrize("length", [12, 40, 200, 400])
def test_a_truncated_file_is_one_sentence(length: int, tmp_path: Path) -> None:
    content = tflite_model(small_graph("tflite_double"), Size(6, 8))
    with pytest.raises(UserError):
        read(content[:length], tmp_path)
