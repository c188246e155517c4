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
    image = _feature_map(random, "image", (height, width, channels))
    tensors, operator = KINDS[kind](random, image)
    content = model_bytes(tensors, [operator], ["image"], ["out"])
    codes = random.integers(-128, 127, (height, width, channels), np.int32, endpoint=True)
    return ModelCase(f"{height}×{width}×{channels}", content, codes)


def ours(case: ModelCase, mode: str) -> OperatorCase:
    """The same operator of a graph, as our reader makes it, its sums rounded in a mode."""
    graph = graph_of(parse_model(case.content, Path("random.tflite")), Path("random.tflite"))
    operand, node = graph.input.output, graph.node(graph.output)
    operator: Any = node.operator
    rounded = {
        entry.name: replace(getattr(operator, entry.name), rounding=mode)
        for entry in fields(operator)
        if isinstance(getattr(operator, entry.name), Requantization)
    }
    return OperatorCase(case.description, replace(operator, **rounded), (operand,), (case.codes,))


def codes(case: ModelCase) -> NDArray[np.int32]:
    """Output codes of LiteRT's reference kernels."""
    return litert.model_file(case.content, case.codes)


def _feature_map(random: Random, name: str, shape: tuple[int, ...]) -> Tensor:
    scale = np.array([single(2 ** random.uniform(-7, -3))], np.float32)
    zero = int(random.integers(-128, 127, endpoint=True))
    return Tensor(name, (1, *shape), np.int8, scale, zero)


def _pointwise(code: int) -> Callable[[Random, Tensor], tuple[list[Tensor], Operator]]:
    """An operator of one feature map without constants."""

    def draw(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
        out = _feature_map(random, "out", image.shape[1:])
        return [image, out], Operator(code, 1, ["image"], ["out"])

    return draw


def _prelu(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    out = _feature_map(random, "out", image.shape[1:])
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
    out = _feature_map(random, "out", (*size, channels))
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


def _transposed(random: Random, image: Tensor) -> tuple[list[Tensor], Operator]:
    channels = int(random.integers(1, 6, endpoint=True))
    kernel = tuple(random.integers(2, 5, 2, endpoint=True).tolist())
    stride = tuple(random.integers(1, 2, 2, endpoint=True).tolist())
    weight, bias = _weight(random, (channels, *kernel, image.shape[3]), channels, 0, image)
    size = [side * step for side, step in zip(image.shape[1:3], stride, strict=True)]
    out = _feature_map(random, "out", (*size, channels))
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
    bias: NDArray[Any] = random.integers(-5000, 5000, channels, np.int32)
    assert image.scales is not None
    return (
        Tensor("weight", shape, np.int8, scales, 0, values, axis),
        Tensor("bias", (channels,), np.int32, image.scales * scales, 0, bias),
    )


KINDS: dict[str, Callable[[Random, Tensor], tuple[list[Tensor], Operator]]] = {
    "depthwise convolution": _depthwise,
    "transposed convolution": _transposed,
    "prelu": _prelu,
    "relu": _pointwise(_CODES.RELU),
    "relu6": _pointwise(_CODES.RELU6),
    "quantize": _pointwise(_CODES.QUANTIZE),
}
"""Operators by what reports call them."""
