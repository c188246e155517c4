"""Random operators of ONNX Runtime beside stride-1 convolution and addition, one to a model.

Feature maps have 8 bits with sign. Each case is a node with its constants, its inputs, and the same
operator of ours with the constants that the runtime derives.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.oracles.onnx_runtime import run_node
from quant.common.rescaling import float32_bits
from quant.graph import (
    AveragePool,
    CodeKind,
    Concatenate,
    Encoding,
    IntegerType,
    Multiply,
    Operator,
    Padding,
    PixelShuffle,
    Requantization,
    TensorType,
)
from quant.interchange import derivation
from quant.interchange.onnx_writer import EXTENSIONS

Random = np.random.Generator
Codes = NDArray[np.int32]
CONVENTION = "onnxruntime"

_SIGNED_8 = IntegerType(8, CodeKind.SIGNED)
_EXPONENTS = -9, -3  # of the scales, base 2


@dataclass(frozen=True, slots=True, eq=False)
class OnnxCase:
    """A node, its constants by name, and the operator as ours, whose operands are map0, …."""

    node: Any
    constants: dict[str, Any]
    ours: OperatorCase


def draw(kind: str, random: Random) -> OnnxCase:
    """A random operator of a kind."""
    return _DRAWS[kind](random)


def codes(case: OnnxCase) -> Codes:
    """What ONNX Runtime makes of a case, int32 [height, width, channels]."""
    images = {
        f"map{number}": image.transpose(2, 0, 1)[None].astype(np.int8)
        for number, image in enumerate(case.ours.operands)
    }
    found = run_node(case.node, case.constants, images)[0]
    image: Codes = found.transpose(1, 2, 0).astype(np.int32)
    return image


def ours(case: OnnxCase, mode: str) -> OperatorCase:
    """The case in our operators, a requantization in a mode that takes the same numbers."""
    operator: Any = case.ours.operator
    given = getattr(operator, "requantization", None)
    if given is None:
        return case.ours
    # Of the modes that scale in float32, onednn alone has a second scale: 1 here.
    scale = int(float32_bits(1.0)[0]) if mode == "onednn" else 0
    changed = replace(given, rounding=mode, destination_scale=scale)
    return replace(case.ours, operator=replace(operator, requantization=changed))


def _random_type(random: Random, channels: int) -> TensorType:
    """Codes on any scale, or on a power of two, where halves are exact."""
    exponent = random.uniform(*_EXPONENTS)
    if random.random() < 0.5:
        exponent = round(exponent)
    encoding = Encoding(float(np.float32(2.0**exponent)), (int(random.integers(-128, 128)),))
    return TensorType(channels, _SIGNED_8, encoding)


def _random_map(random: Random, channels: int | None = None) -> tuple[TensorType, Codes]:
    height, width = random.integers(8, 25, 2)
    count = int(random.integers(1, 17)) if channels is None else channels
    image = random.integers(-128, 128, (height, width, count), np.int32)
    return _random_type(random, count), image


def _constants(**tensors: TensorType) -> dict[str, Any]:
    """Scale and zero point of each tensor."""
    constants: dict[str, Any] = {}
    for name, tensor in tensors.items():
        constants[f"{name}_scale"] = np.float32(tensor.encoding.scale)
        constants[f"{name}_zero"] = np.int8(derivation.zero_point(tensor))
    return constants


def _case(
    node: Any, constants: dict[str, Any], operator: Operator, *maps: tuple[TensorType, Codes]
) -> OnnxCase:
    shapes = " and ".join("×".join(str(side) for side in image.shape) for _, image in maps)
    computed = OperatorCase(
        f"{operator.kind} of {shapes}",
        operator,
        tuple(tensor for tensor, _ in maps),
        tuple(image for _, image in maps),
    )
    return OnnxCase(node, constants, computed)


def _convolution(random: Random) -> OnnxCase:
    """Any stride, dilation, padding and groups, depthwise often."""
    groups = int(random.integers(1, 9))
    inputs, outputs = (
        (1, 1) if random.random() < 0.5 else (int(n) for n in random.integers(1, 5, 2))
    )
    image = _random_map(random, groups * inputs)
    source = image[0]
    kernel, stride, dilation = (
        (int(down), int(across)) for down, across in random.integers(1, 4, (3, 2))
    )
    sides = [int(random.integers(0, taps)) for taps in (*kernel, *kernel)]  # top, left, …
    weight = random.integers(-127, 128, (groups * outputs, *kernel, inputs))
    exponents = random.uniform(-9, -6, len(weight))
    if random.random() < 0.5:
        exponents = np.rint(exponents)
    scales = np.exp2(exponents).astype(np.float32)
    bias = random.integers(-(2**12), 2**12, len(weight))
    zero = int(random.integers(-128, 128))
    output = TensorType(len(weight), _SIGNED_8, Encoding(2 * source.encoding.scale, (zero,)))
    padding = Padding(sides[0], sides[2], sides[1], sides[3])
    clamp = derivation.whole_range(output)
    operator = replace(
        derivation.convolution(CONVENTION, source, output, weight, bias, scales, padding, clamp),
        stride=stride,
        dilation=dilation,
        groups=groups,
    )
    constants = {
        **_constants(image=source),
        "weight": np.ascontiguousarray(weight.transpose(0, 3, 1, 2)).astype(np.int8),
        "weight_scale": scales,
        "weight_zero": np.zeros(len(weight), np.int8),
        **_constants(codes=output),
        "bias": bias.astype(np.int32),
    }
    node = helper.make_node(
        "QLinearConv",
        ["map0", *constants],
        ["codes"],
        pads=sides,
        strides=stride,
        dilations=dilation,
        group=groups,
    )
    return _case(node, constants, operator, image)


def _one_scale(scale: np.float32, output: TensorType) -> Requantization:
    zero, clamp = derivation.zero_point(output), derivation.whole_range(output)
    return Requantization(float32_bits(scale), np.zeros(1, np.int64), zero, *clamp, CONVENTION)


def _multiply(random: Random) -> OnnxCase:
    image = _random_map(random)
    first, output = image[0], _random_type(random, image[0].channels)
    second = _random_type(random, first.channels)
    factors = random.integers(-128, 128, image[1].shape, np.int32)
    scales = [np.float32(tensor.encoding.scale) for tensor in (first, second, output)]
    zeros = -derivation.zero_point(first), -derivation.zero_point(second)
    scaling = _one_scale(scales[0] * scales[1] / scales[2], output)
    operator = Multiply(zeros, replace(scaling, zero_point_first=True))
    constants = _constants(first=first, second=second, codes=output)
    names = list(constants)
    inputs = ["map0", *names[:2], "map1", *names[2:]]
    node = helper.make_node("QLinearMul", inputs, ["codes"], domain=EXTENSIONS)
    return _case(node, constants, operator, image, (second, factors))


def _global_average_pool(random: Random) -> OnnxCase:
    image = _random_map(random, int(random.integers(200, 400)))
    source, output = image[0], _random_type(random, image[0].channels)
    height, width, _ = image[1].shape
    scales = [np.float32(tensor.encoding.scale) for tensor in (source, output)]
    scaling = _one_scale(scales[0] / (scales[1] * np.float32(height * width)), output)
    bias = -derivation.zero_point(source) * height * width
    operator = AveragePool((height, width), (1, 1), bias, scaling)
    constants = _constants(image=source, codes=output)
    node = helper.make_node(
        "QLinearGlobalAveragePool",
        ["map0", *constants],
        ["codes"],
        domain=EXTENSIONS,
        channels_last=0,
    )
    return _case(node, constants, operator, image)


def _concatenate(random: Random) -> OnnxCase:
    """Of one encoding, where nothing is rounded."""
    first = _random_map(random)
    height, width, channels = first[1].shape
    other = random.integers(-128, 128, (height, width, int(random.integers(1, 9))), np.int32)
    second = replace(first[0], channels=other.shape[2])
    output = replace(first[0], channels=channels + other.shape[2])
    constants = _constants(codes=output, first=first[0], second=second)
    names = list(constants)
    inputs = [*names[:2], "map0", *names[2:4], "map1", *names[4:]]
    node = helper.make_node("QLinearConcat", inputs, ["codes"], domain=EXTENSIONS, axis=1)
    return _case(node, constants, Concatenate(), first, (second, other))


def _pixel_shuffle(random: Random, order: str) -> OnnxCase:
    factor = int(random.integers(1, 5))
    image = _random_map(random, factor**2 * int(random.integers(1, 5)))
    node = helper.make_node(
        "DepthToSpace", ["map0"], ["codes"], blocksize=factor, mode=order.upper()
    )
    return _case(node, {}, PixelShuffle(factor, order), image)


_DRAWS: dict[str, Callable[[Random], OnnxCase]] = {
    "convolution of any geometry": _convolution,
    "multiply": _multiply,
    "global average pool": _global_average_pool,
    "concatenate": _concatenate,
    "pixel shuffle, dcr": lambda random: _pixel_shuffle(random, "dcr"),
    "pixel shuffle, crd": lambda random: _pixel_shuffle(random, "crd"),
}
