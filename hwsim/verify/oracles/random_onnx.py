"""Random quantized networks as ONNX models: operators on codes, or float ones between QDQ pairs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from quant.interchange.onnx_writer import EXTENSIONS, IR_VERSION, OPSET

STYLES = ("QDQ", "QLinear")
"""How a model says that it is quantized."""

IMAGE = (9, 11)
"""Height and width of the random input."""

_FIRST_WITH_AXES = 13
"""The first opset whose DequantizeLinear takes scales of slices."""
_NEWER_FILES = 19, 10
"""The first opset that needs a newer kind of file, and which."""

_COLOURS = 3
_LARGEST_WEIGHT = 127
_EVEN_SPREAD = 0.29  # standard deviation of evenly drawn codes over their range


@dataclass(frozen=True, slots=True)
class Map:
    """A feature map of codes, and how its real values spread."""

    name: str
    channels: int
    factor: int
    scale: float
    zero: int
    deviation: float


@dataclass(eq=False)
class RandomModel:
    """A model under construction.

    Attributes:
        random: where every draw comes from.
        style: one of `STYLES`.
        signed: whether codes are s8, else u8.
        opset: version of ONNX's operators, 11 or more.
    """

    random: np.random.Generator
    style: str
    signed: bool
    opset: int = OPSET
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    maps: list[Map] = field(default_factory=list)

    @property
    def codes(self) -> type[np.int8] | type[np.uint8]:
        """NumPy's type of the codes."""
        return np.int8 if self.signed else np.uint8

    @property
    def low(self) -> int:
        """The least code."""
        return -128 if self.signed else 0

    def content(self, operators: int) -> bytes:
        """The file of a network of some operators; its input and output are codes."""
        scale = float(np.float32(self.random.uniform(0.01, 0.03)))
        zero = int(self.random.integers(self.low, self.low + 256))
        self.maps.append(Map("image", _COLOURS, 1, scale, zero, 256 * scale * _EVEN_SPREAD))
        kinds = list(_OPERATORS)
        for _ in range(operators):
            _OPERATORS[kinds[int(self.random.integers(len(kinds)))]](self, self._any())
        last = self.maps[-1]
        element = helper.np_dtype_to_tensor_dtype(np.dtype(self.codes))
        ends = [
            helper.make_tensor_value_info(m.name, element, (1, m.channels, *size))
            for m, size in ((self.maps[0], IMAGE), (last, (None, None)))
        ]
        graph = helper.make_graph(
            self.nodes,
            "random",
            ends[:1],
            ends[1:],
            [numpy_helper.from_array(values, name) for name, values in self.constants.items()],
        )
        operator_sets = [helper.make_opsetid("", self.opset), helper.make_opsetid(EXTENSIONS, 1)]
        version = IR_VERSION if self.opset < _NEWER_FILES[0] else _NEWER_FILES[1]
        model = helper.make_model(graph, opset_imports=operator_sets, ir_version=version)
        content: bytes = model.SerializeToString()
        return content

    def image(self) -> NDArray[np.int32]:
        """Random codes of the input, int32 [height, width, colours]."""
        shape = (*IMAGE, _COLOURS)
        return self.random.integers(self.low, self.low + 256, shape).astype(np.int32)

    def _any(self) -> Map:
        """A feature map to read, the last one more often than not."""
        back = min(int(self.random.geometric(0.7)), len(self.maps))
        return self.maps[-back]

    def constant(self, name: str, values: Any) -> str:
        """Name of a new constant."""
        unique = f"{name}{len(self.constants)}"
        self.constants[unique] = np.asarray(values)
        return unique

    def parameters(self, scale: float, zero: int) -> list[str]:
        """Names of a scale and a zero point."""
        return [
            self.constant("scale", np.float32(scale)),
            self.constant("zero", self.codes(zero)),
        ]

    def node(self, kind: str, inputs: list[str], domain: str = "", **attributes: Any) -> str:
        """Append an operator; the name of its result."""
        output = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, inputs, [output], output, domain=domain, **attributes)
        )
        return output

    def real(self, source: Map) -> str:
        """A feature map's real numbers, by a DequantizeLinear of its own."""
        inputs = [source.name, *self.parameters(source.scale, source.zero)]
        return self.node("DequantizeLinear", inputs)

    def fitted(self, deviation: float, *, positive: bool = False) -> tuple[float, int]:
        """A scale and a zero point under which most real numbers of a spread have codes."""
        scale = deviation * float(self.random.uniform(3, 6)) / 256
        if self.random.random() < 0.3:
            scale = float(2.0 ** np.round(np.log2(scale)))  # halves are exact
        zero = self.low if positive else int(self.random.integers(self.low + 64, self.low + 192))
        return float(np.float32(scale)), zero

    def quantized(self, real: str, like: Map, scale: float, zero: int, deviation: float) -> None:
        """Append a QuantizeLinear and remember its result."""
        name = self.node("QuantizeLinear", [real, *self.parameters(scale, zero)])
        self.maps.append(Map(name, like.channels, like.factor, scale, zero, deviation))


def _convolution(model: RandomModel, source: Map) -> None:
    random = model.random
    groups = source.channels if random.random() < 0.2 else 1
    outputs = groups * int(random.integers(1, 3)) if groups > 1 else int(random.integers(1, 13))
    kernel, dilation = int(random.choice([1, 3])), int(random.choice([1, 1, 2]))
    shape = (outputs, source.channels // groups, kernel, kernel)
    weight, weight_zero = _weights(model, shape)
    per_channel = bool(random.random() < 0.7) and model.opset >= _FIRST_WITH_AXES
    scales = np.exp2(random.uniform(-9, -6, outputs if per_channel else 1)).astype(np.float32)
    if random.random() < 0.3:
        scales = np.exp2(np.rint(np.log2(scales))).astype(np.float32)
    spread = np.sqrt(np.square(weight.astype(np.float64) - weight_zero).sum(axis=(1, 2, 3)) + 1)
    deviation = float((spread * scales * source.deviation).mean())
    relu = bool(random.random() < 0.4)
    scale, zero = model.fitted(deviation, positive=relu)
    unit = np.float32(source.scale) * scales
    bias = np.rint(random.uniform(-1, 1, outputs) * deviation / unit).astype(np.int32)
    pads = kernel // 2 * dilation
    attributes: dict[str, Any] = {"pads": [pads] * 4, "dilations": [dilation] * 2, "group": groups}
    out = Map("", outputs, source.factor, scale, zero, deviation)
    zeros = np.full(len(scales), weight_zero, weight.dtype)
    if not per_channel:
        scales, zeros, unit = scales[0], zeros[0], unit[0]
    parameters = [
        model.constant("weight", weight),
        model.constant("weight_scale", scales),
        model.constant("weight_zero", zeros),
    ]
    if model.style == "QLinear":
        inputs = [
            source.name, *model.parameters(source.scale, source.zero), *parameters,
            *model.parameters(scale, zero), model.constant("bias", bias),
        ]  # fmt: skip
        name = model.node("QLinearConv", inputs, **attributes)
        model.maps.append(Map(name, outputs, source.factor, scale, zero, deviation))
        return
    axis: dict[str, Any] = {"axis": 0} if per_channel else {}
    real = [model.real(source), model.node("DequantizeLinear", parameters, **axis)]
    if random.random() < 0.5:
        inputs = [model.constant("bias", bias), model.constant("bias_scale", unit)]
        real.append(model.node("DequantizeLinear", inputs, **axis))
    else:
        real.append(model.constant("bias", (bias * unit * np.float32(1.001)).astype(np.float32)))
    result = model.node("Conv", real, **attributes)
    model.quantized(model.node("Relu", [result]) if relu else result, out, scale, zero, deviation)


def _weights(model: RandomModel, shape: tuple[int, ...]) -> tuple[NDArray[Any], int]:
    """Signed codes with zero point 0 or, beside unsigned maps, unsigned ones with another."""
    if model.signed or model.random.random() < 0.7:
        codes = model.random.integers(-_LARGEST_WEIGHT, _LARGEST_WEIGHT, shape, endpoint=True)
        return codes.astype(np.int8), 0
    return model.random.integers(0, 256, shape).astype(np.uint8), int(
        model.random.integers(100, 156)
    )


def _binary(kind: str) -> Callable[[RandomModel, Map], None]:
    def append(model: RandomModel, source: Map) -> None:
        like = [m for m in model.maps if (m.channels, m.factor) == (source.channels, source.factor)]
        other = like[int(model.random.integers(len(like)))]
        spreads = source.deviation, other.deviation
        deviation = float(np.hypot(*spreads)) if kind == "Add" else 2 * spreads[0] * spreads[1]
        scale, zero = model.fitted(deviation)
        if model.style == "QDQ":
            real = model.node(kind, [model.real(source), model.real(other)])
            model.quantized(real, source, scale, zero, deviation)
            return
        inputs = [
            source.name, *model.parameters(source.scale, source.zero),
            other.name, *model.parameters(other.scale, other.zero),
            *model.parameters(scale, zero),
        ]  # fmt: skip
        name = model.node(f"QLinear{kind}", inputs, EXTENSIONS)
        model.maps.append(Map(name, source.channels, source.factor, scale, zero, deviation))

    return append


def _with_constant(model: RandomModel, source: Map) -> None:
    """A sum or product with a constant for each channel or for all, before or behind the map."""
    random, kind = model.random, str(model.random.choice(["Add", "Mul"]))
    turned = bool(random.random() < 0.5)
    shape = (source.channels, 1, 1) if random.random() < 0.5 else ()
    codes = random.integers(model.low, model.low + 256, shape).astype(model.codes)
    step, middle = model.fitted(source.deviation if kind == "Add" else 1.0)
    factor = float(np.abs((codes.astype(np.int64) - middle) * step).mean())
    deviation = float(np.hypot(source.deviation, factor))
    if kind == "Mul":
        deviation = max(source.deviation * factor, 1e-3)
    scale, zero = model.fitted(deviation)
    constant = [model.constant("constant", codes), *model.parameters(step, middle)]
    own = [source.name, *model.parameters(source.scale, source.zero)]
    operands = [constant, own] if turned else [own, constant]
    if model.style == "QDQ":
        reals = [model.node("DequantizeLinear", operand) for operand in operands]
        model.quantized(model.node(kind, reals), source, scale, zero, deviation)
        return
    inputs = [*operands[0], *operands[1], *model.parameters(scale, zero)]
    name = model.node(f"QLinear{kind}", inputs, EXTENSIONS)
    model.maps.append(Map(name, source.channels, source.factor, scale, zero, deviation))


def _concatenation(model: RandomModel, source: Map) -> None:
    like = [m for m in model.maps if m.factor == source.factor]
    other = like[int(model.random.integers(len(like)))]
    if source.channels + other.channels > 24:
        return
    deviation = max(source.deviation, other.deviation)
    scale, zero = model.fitted(deviation)
    channels = source.channels + other.channels
    out = Map("", channels, source.factor, scale, zero, deviation)
    if model.style == "QDQ":
        real = model.node("Concat", [model.real(source), model.real(other)], axis=1)
        model.quantized(real, out, scale, zero, deviation)
        return
    inputs = [
        *model.parameters(scale, zero),
        source.name, *model.parameters(source.scale, source.zero),
        other.name, *model.parameters(other.scale, other.zero),
    ]  # fmt: skip
    name = model.node("QLinearConcat", inputs, EXTENSIONS, axis=1)
    model.maps.append(Map(name, channels, source.factor, scale, zero, deviation))


def _function(kind: str, **attributes: Any) -> Callable[[RandomModel, Map], None]:
    def append(model: RandomModel, source: Map) -> None:
        deviation = 0.5 if kind == "Sigmoid" else source.deviation
        scale, zero = model.fitted(deviation)
        if model.style == "QDQ":
            real = model.node(kind, [model.real(source)], **attributes)
            model.quantized(real, source, scale, zero, deviation)
            return
        inputs = [
            source.name, *model.parameters(source.scale, source.zero),
            *model.parameters(scale, zero),
        ]  # fmt: skip
        name = model.node(f"QLinear{kind}", inputs, EXTENSIONS, **attributes)
        model.maps.append(Map(name, source.channels, source.factor, scale, zero, deviation))

    return append


def _requantization(model: RandomModel, source: Map) -> None:
    """Dequantized and quantized again, with limits between the two at times."""
    real = model.real(source)
    if model.random.random() < 0.5:
        limits = [np.float32(-source.deviation), np.float32(1.5 * source.deviation)]
        real = model.node("Clip", [real, *(model.constant("limit", limit) for limit in limits)])
    scale, zero = model.fitted(source.deviation)
    model.quantized(real, source, scale, zero, source.deviation)


def _pixel_shuffle(model: RandomModel, source: Map) -> None:
    if source.channels % 4 or source.factor > 2:
        return
    attributes: dict[str, Any] = {"blocksize": 2, "mode": str(model.random.choice(["DCR", "CRD"]))}
    channels, factor = source.channels // 4, source.factor * 2
    if model.style == "QLinear":
        name = model.node("DepthToSpace", [source.name], **attributes)
        out = Map(name, channels, factor, source.scale, source.zero, source.deviation)
        model.maps.append(out)
        return
    real = model.node("DepthToSpace", [model.real(source)], **attributes)
    out = Map("", channels, factor, 0.0, 0, 0.0)
    model.quantized(real, out, source.scale, source.zero, source.deviation)


def _resize(model: RandomModel, source: Map) -> None:
    if source.factor > 2 or source.channels > 12:
        return
    scales = model.constant("factors", np.array([1, 1, 2, 2], np.float32))
    roi = model.constant("roi", np.zeros(0, np.float32))  # opset 11 must have one
    attributes = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    out = Map("", source.channels, source.factor * 2, source.scale, source.zero, source.deviation)
    if model.style == "QLinear":
        name = model.node("Resize", [source.name, roi, scales], **attributes)
        model.maps.append(Map(name, *_fields(out)[1:]))
        return
    real = model.node("Resize", [model.real(source), roi, scales], **attributes)
    model.quantized(real, out, source.scale, source.zero, source.deviation)


def _fields(source: Map) -> tuple[Any, ...]:
    return (
        source.name, source.channels, source.factor, source.scale, source.zero, source.deviation,
    )  # fmt: skip


_OPERATORS: dict[str, Callable[[RandomModel, Map], None]] = {
    "convolution": _convolution,
    "another convolution": _convolution,
    "addition": _binary("Add"),
    "multiplication": _binary("Mul"),
    "constant operand": _with_constant,
    "concatenation": _concatenation,
    "leaky relu": _function("LeakyRelu", alpha=0.2),
    "sigmoid": _function("Sigmoid"),
    "requantization": _requantization,
    "pixel shuffle": _pixel_shuffle,
    "nearest resize": _resize,
}
