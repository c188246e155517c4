"""LiteRT's reference kernels on random models of one operator, read as graphs by our reader."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.oracles import litert
from hwsim.verify.oracles.cases import single
from quant.common.requantization_modes import MODES
from quant.graph import Requantization
from quant.interchange.tflite_flatbuffer import Operator, Tensor, model_bytes
from quant.interchange.tflite_model import parse_model
from quant.interchange.tflite_reader import graph_of

Random = np.random.Generator

_CODES = tflite.BuiltinOperator
_SIDES = (4, 14)
_MOST_CHANNELS = 24


@dataclass(frozen=True, slots=True, eq=False)
class ModelCase:
    """A model of one operator and an image for it.

    Attributes:
        description: the operator in words.
        content: the flatbuffer.
        codes: int32 [height, width, channels].
    """

    description: str
    content: bytes
    codes: NDArray[np.int32]


def draw(kind: str, random: Random) -> ModelCase:
    """A random model of a kind in `KINDS`."""
    height, width = (int(side) for side in random.integers(*_SIDES, 2, endpoint=True))
    channels = int(random.integers(1, _MOST_CHANNELS, endpoint=True))
    wide = kind.endswith(WIDE)
    dtype, bits = (np.int16, 16) if wide else (np.int8, 8)
    image = _feature_map(random, "image", (height, width, channels), dtype)
    tensors, operator = KINDS[kind.removesuffix(WIDE)](random, image)
    content = model_bytes(tensors, [operator], ["image"], ["out"])
    reach = 1 << bits - 1
    codes = random.integers(-reach, reach, (height, width, channels), np.int32)
    return ModelCase(f"{height}×{width}×{channels}", content, codes)


def ours(case: ModelCase, mode: str) -> OperatorCase:
    """The same operator of a graph, as our reader makes it, its sums rounded in a mode."""
    graph = graph_of(parse_model(case.content, Path("random.tflite")), Path("random.tflite"))
    operand, node = graph.input.output, graph.node(graph.output)
    operator: Any = node.operator
    rounded = {
        entry.name: replace(getattr(operator, entry.name), rounding=mode)
        for entry in fields(operator)
        if mode in MODES and isinstance(getattr(operator, entry.name), Requantization)
    }
    return OperatorCase(case.description, replace(operator, **rounded), (operand,), (case.codes,))


def codes(case: ModelCase) -> NDArray[np.int32]:
    """Output codes of LiteRT's reference kernels."""
    return litert.model_file(case.content, case.codes)


def _feature_map(random: Random, name: str, shape: tuple[int, ...], dtype: Any) -> Tensor:
    wide = dtype == np.int16  # such have zero point 0
    scale = np.array([single(2 ** random.uniform(-7, -3) / (256 if wide else 1))], np.float32)
    zero = 0 if wide else int(random.integers(-128, 127, endpoint=True))
    return Tensor(name, (1, *shape), dtype, scale, zero)


def _pointwise(code: int) -> Callable[[Random, Tensor], tuple[list[Tensor], Operator]]:
    """An operator of one feature map without constants."""

    def draw(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
        out = _feature_map(random, "out", image.shape[1:], image.dtype)
        return [image, out], Operator(code, 1, ["image"], ["out"])

    return draw


def _prelu(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    out = _feature_map(random, "out", image.shape[1:], image.dtype)
    values = random.integers(-128, 127, (1, 1, image.shape[3]), np.int8, endpoint=True)
    scale = np.array([single(2 ** random.uniform(-10, -6))], np.float32)
    zero = int(random.integers(-128, 127, endpoint=True))
    slope = Tensor("slope", values.shape, np.int8, scale, zero, values)
    return [image, slope, out], Operator(_CODES.PRELU, 1, ["image", "slope"], ["out"])


def _depthwise(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    multiple = int(random.integers(1, 2, endpoint=True))
    channels = image.shape[3] * multiple
    kernel, stride = (tuple(random.integers(1, 3, 2, endpoint=True).tolist()) for _ in range(2))
    weight, bias = _weight(random, (1, *kernel, channels), channels, 3, image)
    size = [-(-side // step) for side, step in zip(image.shape[1:3], stride, strict=True)]
    out = _feature_map(random, "out", (*size, channels), image.dtype)
    options = {
        "Padding": tflite.Padding.SAME,
        "StrideH": stride[0],
        "StrideW": stride[1],
        "DilationHFactor": 1,
        "DilationWFactor": 1,
        "DepthMultiplier": multiple,
        "FusedActivationFunction": int(random.choice([0, 1, 3])),  # none, ReLU, ReLU6
    }
    operator = Operator(
        _CODES.DEPTHWISE_CONV_2D,
        3,
        ["image", "weight", "bias"],
        ["out"],
        tflite.DepthwiseConv2DOptions,
        options,
    )
    return [image, weight, bias, out], operator


def _convolution(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    channels = int(random.integers(1, _MOST_CHANNELS, endpoint=True))
    kernel, stride = (tuple(random.integers(1, 3, 2, endpoint=True).tolist()) for _ in range(2))
    weight, bias = _weight(random, (channels, *kernel, image.shape[3]), channels, 0, image)
    size = [-(-side // step) for side, step in zip(image.shape[1:3], stride, strict=True)]
    out = _feature_map(random, "out", (*size, channels), image.dtype)
    options = {
        "Padding": tflite.Padding.SAME,
        "StrideH": stride[0],
        "StrideW": stride[1],
        "DilationHFactor": 1,
        "DilationWFactor": 1,
        "FusedActivationFunction": int(random.choice([0, 1, 3])),  # none, ReLU, ReLU6
    }
    names = ["image", "weight", "bias"]
    operator = Operator(_CODES.CONV_2D, 5, names, ["out"], tflite.Conv2DOptions, options)
    return [image, weight, bias, out], operator


def _leaky_relu(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    out = _feature_map(random, "out", image.shape[1:], image.dtype)
    options: dict[str, Any] = {"Alpha": single(random.uniform(-0.5, 0.9))}
    operator = Operator(_CODES.LEAKY_RELU, 2, ["image"], ["out"], tflite.LeakyReluOptions, options)
    return [image, out], operator


def _average_pool(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    kernel, stride = (tuple(random.integers(1, 4, 2).tolist()) for _ in range(2))
    size = [(image.shape[a + 1] - kernel[a]) // stride[a] + 1 for a in (0, 1)]
    out = replace(image, name="out", shape=(1, *size, image.shape[3]))
    options = {
        "Padding": tflite.Padding.VALID,
        "StrideH": stride[0],
        "StrideW": stride[1],
        "FilterHeight": kernel[0],
        "FilterWidth": kernel[1],
    }
    names = _CODES.AVERAGE_POOL_2D, 2, ["image"], ["out"]
    return [image, out], Operator(*names, tflite.Pool2DOptions, options)


def _resize(code: int, options: Any, **settings: int) -> "_Draw":
    """By a whole factor."""

    def draw(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
        factor = int(random.integers(1, 4, endpoint=True))
        sides = image.shape[1] * factor, image.shape[2] * factor
        size = Tensor("size", (2,), np.int32, values=np.array(sides, np.int32))
        out = replace(image, name="out", shape=(1, *sides, image.shape[3]))
        operator = Operator(code, 4, ["image", "size"], ["out"], options, settings)
        return [image, size, out], operator

    return draw


def _split(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    """A run of channels."""
    start = int(random.integers(0, image.shape[3]))
    stop = int(random.integers(start + 1, image.shape[3], endpoint=True))
    out = replace(image, name="out", shape=(*image.shape[:3], stop - start))
    bounds = {"begin": [0, 0, 0, start], "end": [*image.shape[:3], stop], "steps": [1] * 4}
    constants = [
        Tensor(name, (4,), np.int32, values=np.array(values, np.int32))
        for name, values in bounds.items()
    ]
    names = ["image", *bounds]
    operator = Operator(_CODES.STRIDED_SLICE, 4, names, ["out"], tflite.StridedSliceOptions)
    return [image, *constants, out], operator


def _transposed(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    channels = int(random.integers(1, 6, endpoint=True))
    kernel = tuple(random.integers(2, 5, 2, endpoint=True).tolist())
    stride = tuple(random.integers(1, 2, 2, endpoint=True).tolist())
    weight, bias = _weight(random, (channels, *kernel, image.shape[3]), channels, 0, image)
    size = [side * step for side, step in zip(image.shape[1:3], stride, strict=True)]
    out = _feature_map(random, "out", (*size, channels), image.dtype)
    values = np.array(out.shape, np.int32)
    shape = Tensor("shape", (4,), np.int32, values=values)
    options: dict[str, int] = {
        "Padding": tflite.Padding.SAME,
        "StrideH": stride[0],
        "StrideW": stride[1],
    }
    operator = Operator(
        _CODES.TRANSPOSE_CONV,
        3,
        ["shape", "weight", "image", "bias"],
        ["out"],
        tflite.TransposeConvOptions,
        options,
    )
    return [shape, weight, image, bias, out], operator


def _weight(
    random: Random, shape: tuple[int, ...], channels: int, axis: int, image: Tensor
) -> tuple[Tensor, Tensor]:
    """Weights with a scale for each output channel, and a bias."""
    values = random.integers(-127, 127, shape, np.int8, endpoint=True)
    scales = (2 ** random.uniform(-9, -7, channels)).astype(np.float32)
    wide = image.dtype == np.int16
    reach, dtype = (1_000_000, np.int64) if wide else (5000, np.int32)
    bias: NDArray[Any] = random.integers(-reach, reach, channels).astype(dtype)
    assert image.scales is not None
    return (
        Tensor("weight", shape, np.int8, scales, 0, values, axis),
        Tensor("bias", (channels,), dtype, image.scales * scales, 0, bias),
    )


_Draw = Callable[[Random, Tensor], tuple[list[Tensor], Operator]]
KINDS: dict[str, _Draw] = {
    "convolution": _convolution,
    "depthwise convolution": _depthwise,
    "transposed convolution": _transposed,
    "prelu": _prelu,
    "leaky relu": _leaky_relu,
    "relu": _pointwise(_CODES.RELU),
    "relu6": _pointwise(_CODES.RELU6),
    "quantize": _pointwise(_CODES.QUANTIZE),
    "average pool": _average_pool,
    "nearest resize": _resize(_CODES.RESIZE_NEAREST_NEIGHBOR, tflite.ResizeNearestNeighborOptions),
    "bilinear resize": _resize(
        _CODES.RESIZE_BILINEAR, tflite.ResizeBilinearOptions, HalfPixelCenters=1
    ),
    "slice": _split,
}
"""Operators by what reports call them."""

WIDE = ", 16×8"
"""Behind the names of those whose feature maps have 16 bits, and their weights 8."""
