"""Random operators of TensorFlow Lite that our reader does not make of models, or not all of them.

Feature maps have 8 bits with sign. Each case is a flatbuffer, its inputs, and the same operator of
ours with the constants that TensorFlow Lite derives when it loads the file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.oracles.litert import CONVOLUTION_VERSION, REFERENCE, run
from quant.common.rescaling import quantize_multiplier
from quant.graph import (
    AveragePool,
    BilinearResize,
    CodeKind,
    Concatenate,
    Encoding,
    IntegerType,
    LookupTable,
    Multiply,
    NearestResize,
    Operator,
    Padding,
    ParametricRelu,
    PixelShuffle,
    Requantization,
    TensorType,
)
from quant.graph.operators import Integers
from quant.interchange import derivation
from quant.interchange.tflite_activations import function_table
from quant.interchange.tflite_flatbuffer import Operator as ModelOperator
from quant.interchange.tflite_flatbuffer import Tensor, model_bytes

Random = np.random.Generator
Codes = NDArray[np.int32]
CONVENTION = "tflite_double"

_KINDS = tflite.BuiltinOperator
_SIGNED_8 = IntegerType(8, CodeKind.SIGNED)
_EXPONENTS = -9, -3  # of the scales, base 2
_POOL_SHIFT = 24  # see docs/operators/average_pool.md
SIGNED_8_VERSION = 2  # of most operators, the first that takes int8
_SHUFFLE_VERSION = 1  # the only one whose reference kernel LiteRT registers


@dataclass(frozen=True, slots=True, eq=False)
class LitertCase:
    """A model of one operator, its inputs, and the operator as ours."""

    model: bytes
    ours: OperatorCase


def draw(kind: str, random: Random) -> LitertCase:
    """A random operator of a kind."""
    return _DRAWS[kind](random)


def codes(case: LitertCase) -> Codes:
    """What LiteRT's reference kernels make of a case, int32 [height, width, channels]."""
    return run(case.model, REFERENCE, case.ours.operands)


def ours(case: LitertCase, mode: str) -> OperatorCase:
    """The case in our operators, each requantization in a mode that takes the same numbers."""
    operator = case.ours.operator
    changes: dict[str, Any] = {
        name: replace(value, rounding=mode)
        for name in ("requantization", "positive", "negative")
        if isinstance(value := getattr(operator, name, None), Requantization)
    }
    return replace(case.ours, operator=replace(operator, **changes))


def _random_type(random: Random, channels: int) -> TensorType:
    """Codes on any scale, or on a power of two, where halves are exact."""
    exponent = random.uniform(*_EXPONENTS)
    if random.random() < 0.5:
        exponent = round(exponent)
    encoding = Encoding(float(np.float32(2.0**exponent)), (int(random.integers(-128, 128)),))
    return TensorType(channels, _SIGNED_8, encoding)


def _like(tensor: TensorType, channels: int) -> TensorType:
    return replace(tensor, channels=channels)


def _random_map(random: Random, channels: int | None = None) -> tuple[TensorType, Codes]:
    height, width = random.integers(8, 25, 2)
    count = int(random.integers(1, 17)) if channels is None else channels
    codes = random.integers(-128, 128, (height, width, count), np.int32)
    return _random_type(random, count), codes


def _case(
    code: int,
    settings: tuple[Any, dict[str, Any]],
    operator: Operator,
    maps: Sequence[tuple[TensorType, Codes]],
    output: TensorType,
    constants: Sequence[Tensor] = (),
    version: int = SIGNED_8_VERSION,
) -> LitertCase:
    """A model whose operator reads feature maps, then constants."""
    inputs = [f"map{number}" for number in range(len(maps))]
    tensors = [_tensor(name, *given) for name, given in zip(inputs, maps, strict=True)]
    tensors += [*constants, _tensor("codes", output, np.zeros((1, 1, output.channels), np.int32))]
    read = *inputs, *(constant.name for constant in constants)
    node = ModelOperator(code, version, read, ["codes"], *settings)
    shapes = " and ".join("×".join(str(side) for side in codes.shape) for _, codes in maps)
    computed = OperatorCase(
        f"{operator.kind} of {shapes}",
        operator,
        tuple(tensor for tensor, _ in maps),
        tuple(codes for _, codes in maps),
    )
    return LitertCase(model_bytes(tensors, [node], inputs, ["codes"]), computed)


def _tensor(name: str, tensor: TensorType, codes: Codes) -> Tensor:
    scale = np.array([tensor.encoding.scale], np.float32)
    return Tensor(name, (1, *codes.shape), np.int8, scale, derivation.zero_point(tensor))


def _kernel(
    random: Random, source: TensorType, shape: tuple[int, ...], axis: int
) -> tuple[Integers, Integers, list[Tensor], NDArray[np.float32]]:
    """Weights as the model has them, biases, both as constants, and the weights' scales."""
    weight = random.integers(-127, 128, shape)
    channels = shape[axis]
    scales = np.exp2(random.uniform(-9, -6, channels)).astype(np.float32)
    bias = random.integers(-(2**12), 2**12, channels)
    bias_scales = np.float32(source.encoding.scale) * scales
    constants = [
        Tensor("weight", shape, np.int8, scales, 0, weight.astype(np.int8), axis),
        Tensor("bias", (channels,), np.int32, bias_scales, 0, bias.astype(np.int32)),
    ]
    return weight, bias, constants, scales


def _convolution(random: Random) -> LitertCase:
    """Any stride and dilation."""
    image = _random_map(random)
    source, outputs = image[0], int(random.integers(1, 17))
    kernel, stride, dilation = (
        (int(down), int(across)) for down, across in random.integers(1, 4, (3, 2))
    )
    shape = outputs, *kernel, source.channels
    weight = random.integers(-127, 128, shape)
    scales = np.exp2(random.uniform(-9, -6, outputs)).astype(np.float32)
    bias = random.integers(-(2**12), 2**12, outputs)
    bias_scales = np.float32(source.encoding.scale) * scales
    constants = [
        Tensor("weight", shape, np.int8, scales, 0, weight.astype(np.int8)),
        Tensor("bias", (outputs,), np.int32, bias_scales, 0, bias.astype(np.int32)),
    ]
    zero = int(random.integers(-128, 128))
    output = TensorType(outputs, _SIGNED_8, Encoding(2 * source.encoding.scale, (zero,)))
    clamp = derivation.whole_range(output)
    operator = derivation.convolution(
        CONVENTION, source, output, weight, bias, scales, Padding(), clamp
    )
    fields = {
        "Padding": tflite.Padding.VALID,
        "StrideH": stride[0],
        "StrideW": stride[1],
        "DilationHFactor": dilation[0],
        "DilationWFactor": dilation[1],
    }
    operator = replace(operator, stride=stride, dilation=dilation)
    options = tflite.Conv2DOptions, fields
    return _case(_KINDS.CONV_2D, options, operator, [image], output, constants, CONVOLUTION_VERSION)


def _one_factor(factor: np.float32 | float, output: TensorType) -> Requantization:
    found = quantize_multiplier(np.array([factor], np.float64))
    zero, clamp = derivation.zero_point(output), derivation.whole_range(output)
    return Requantization(found.multiplier, found.shift, zero, *clamp, rounding=CONVENTION)


def _singles(*tensors: TensorType) -> tuple[np.float32, ...]:
    return tuple(np.float32(tensor.encoding.scale) for tensor in tensors)


def _leaky_relu(random: Random) -> LitertCase:
    image = _random_map(random)
    source, output = image[0], _random_type(random, image[0].channels)
    slope = np.float32(random.uniform(0.01, 0.9))
    first, second = _singles(source, output)
    operator = ParametricRelu(
        -derivation.zero_point(source),
        np.array([1]),
        _one_factor(first / second, output),
        _one_factor(first * slope / second, output),
    )
    options = tflite.LeakyReluOptions, {"Alpha": float(slope)}
    return _case(_KINDS.LEAKY_RELU, options, operator, [image], output)


def _multiply(random: Random) -> LitertCase:
    image = _random_map(random)
    source, output = image[0], _random_type(random, image[0].channels)
    factor = _random_type(random, source.channels)
    shape = image[1].shape if random.random() < 0.5 else (1, 1, source.channels)
    factors = random.integers(-128, 128, shape, np.int32)
    first, second, third = _singles(source, factor, output)
    zeros = -derivation.zero_point(source), -derivation.zero_point(factor)
    operator = Multiply(zeros, _one_factor(first * second / third, output))
    options: tuple[Any, dict[str, Any]] = tflite.MulOptions, {}
    return _case(_KINDS.MUL, options, operator, [image, (factor, factors)], output)


def _concatenate(random: Random) -> LitertCase:
    first = _random_map(random)
    others = [
        random.integers(-128, 128, (*first[1].shape[:2], int(random.integers(1, 9))), np.int32)
        for _ in range(int(random.integers(1, 4)))
    ]
    maps = [first, *((_like(first[0], codes.shape[2]), codes) for codes in others)]
    output = _like(first[0], sum(codes.shape[2] for _, codes in maps))
    options = tflite.ConcatenationOptions, {"Axis": 3}
    return _case(_KINDS.CONCATENATION, options, Concatenate(), maps, output)


def _pixel_shuffle(random: Random) -> LitertCase:
    factor, channels = int(random.integers(1, 5)), int(random.integers(1, 5))
    image = _random_map(random, factor**2 * channels)
    options = tflite.DepthToSpaceOptions, {"BlockSize": factor}
    output = _like(image[0], channels)
    return _case(
        _KINDS.DEPTH_TO_SPACE,
        options,
        PixelShuffle(factor),
        [image],
        output,
        version=_SHUFFLE_VERSION,
    )


def _resized(image: tuple[TensorType, Codes], factor: int) -> Tensor:
    size = np.array(image[1].shape[:2], np.int32) * factor
    return Tensor("size", (2,), np.int32, values=size)


def _nearest_resize(random: Random) -> LitertCase:
    image, factor = _random_map(random), int(random.integers(1, 5))
    options: tuple[Any, dict[str, Any]] = tflite.ResizeNearestNeighborOptions, {}
    constants = [_resized(image, factor)]
    kind = _KINDS.RESIZE_NEAREST_NEIGHBOR
    return _case(kind, options, NearestResize(factor), [image], image[0], constants)


def _bilinear_resize(random: Random, *, half_pixel_centers: bool) -> LitertCase:
    image, factor = _random_map(random), int(random.integers(1, 7))
    scaling = Requantization(
        np.array([1]), np.array([20]), 0, *derivation.whole_range(image[0]), rounding="half_away"
    )
    operator = BilinearResize(factor, half_pixel_centers, 0, scaling)
    options = tflite.ResizeBilinearOptions, {"HalfPixelCenters": half_pixel_centers}
    constants = [_resized(image, factor)]
    return _case(_KINDS.RESIZE_BILINEAR, options, operator, [image], image[0], constants)


def _average_pool(random: Random) -> LitertCase:
    image = _random_map(random)
    kernel = int(random.integers(1, 8)), int(random.integers(1, 8))
    stride = int(random.integers(1, 4)), int(random.integers(1, 4))
    multiplier = -(-(2**_POOL_SHIFT) // (kernel[0] * kernel[1]))
    scaling = Requantization(
        np.array([multiplier]),
        np.array([_POOL_SHIFT]),
        0,
        *derivation.whole_range(image[0]),
        rounding="half_away",
    )
    options = (
        tflite.Pool2DOptions,
        {
            "Padding": tflite.Padding.VALID,
            "StrideH": stride[0],
            "StrideW": stride[1],
            "FilterHeight": kernel[0],
            "FilterWidth": kernel[1],
        },
    )
    operator = AveragePool(kernel, stride, 0, scaling)
    return _case(_KINDS.AVERAGE_POOL_2D, options, operator, [image], image[0])


def _function(random: Random, name: str, encoding: Encoding) -> LitertCase:
    image = _random_map(random)
    output = replace(image[0], encoding=encoding)
    operator = LookupTable(function_table(name, image[0], output))
    return _case(getattr(_KINDS, name), (None, {}), operator, [image], output)


_DRAWS: dict[str, Callable[[Random], LitertCase]] = {
    "strided and dilated convolution": _convolution,
    "leaky relu": _leaky_relu,
    "multiply": _multiply,
    "bilinear resize": lambda random: _bilinear_resize(random, half_pixel_centers=False),
    "bilinear resize, half-pixel centers": lambda random: _bilinear_resize(
        random, half_pixel_centers=True
    ),
    "average pool": _average_pool,
    "logistic": lambda random: _function(random, "LOGISTIC", Encoding(2.0**-8, (-128,))),
    "tanh": lambda random: _function(random, "TANH", Encoding(2.0**-7, (0,))),
    "concatenate": _concatenate,
    "pixel shuffle": _pixel_shuffle,
    "nearest resize": _nearest_resize,
}
