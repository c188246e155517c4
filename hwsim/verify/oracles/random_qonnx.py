"""Random networks of QONNX's Quant operators, of any width, and QONNX's own executor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from quant.interchange.onnx_writer import IR_VERSION, OPSET

DOMAIN = "qonnx.custom_op.general"
IMAGE = (16, 20)
"""Height and width of the random input."""

ROUNDINGS = ("ROUND", "ROUND", "HALF_UP", "FLOOR", "CEIL", "DOWN")
_SUM_BITS = 24
"""Bits up to which float32, which the executor computes in, holds every sum exactly."""

_COLOURS = 3
_TABLE_BITS = 12


@dataclass(frozen=True, slots=True)
class Map:
    """A quantized feature map: its width with a sign, its scale, and how real values spread."""

    name: str
    channels: int
    factor: int
    bits: int
    scale: float
    deviation: float


@dataclass(eq=False)
class RandomQonnx:
    """A model under construction.

    Attributes:
        random: where every draw comes from.
        powers_of_two: whether all scales are, so that float32 computes exactly.
    """

    random: np.random.Generator
    powers_of_two: bool
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    maps: list[Map] = field(default_factory=list)

    def content(self, operators: int) -> bytes:
        """The file of a network of some operators, from 8-bit pixels to real numbers."""
        self.quantized("image", _COLOURS, 1, 0.29, bits=8, scale=2.0**-8, unsigned=True)
        kinds = list(_OPERATORS)
        for _ in range(operators):
            back = min(int(self.random.geometric(0.7)), len(self.maps))
            kind = kinds[int(self.random.integers(len(kinds)))]
            _OPERATORS[kind](self, self.maps[-back])
        last = self.maps[-1]
        height, width = (side * last.factor for side in IMAGE)
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (
                ("image", (1, _COLOURS, *IMAGE)),
                (last.name, (1, last.channels, height, width)),
            )
        ]
        graph = helper.make_graph(
            self.nodes,
            "random",
            ends[:1],
            ends[1:],
            [numpy_helper.from_array(values, name) for name, values in self.constants.items()],
        )
        operator_sets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
        model = helper.make_model(graph, opset_imports=operator_sets, ir_version=IR_VERSION)
        content: bytes = model.SerializeToString()
        return content

    def image(self) -> NDArray[np.int32]:
        """Random pixels of the input, int32 [height, width, colours]."""
        return self.random.integers(0, 256, (*IMAGE, _COLOURS), np.int32)

    def constant(self, name: str, values: Any) -> str:
        """Name of a new constant."""
        unique = f"{name}{len(self.constants)}"
        self.constants[unique] = np.asarray(values, np.float32)
        return unique

    def node(self, kind: str, inputs: list[str], domain: str = "", **attributes: Any) -> str:
        """Append an operator; the name of its result."""
        output = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, inputs, [output], output, domain=domain, **attributes)
        )
        return output

    def scale(self, wanted: float) -> float:
        """A scale near a wanted one."""
        wanted *= float(self.random.uniform(0.7, 1.4))
        return float(2.0 ** np.round(np.log2(wanted))) if self.powers_of_two else wanted

    def quantized(
        self,
        real: str,
        channels: int,
        factor: int,
        deviation: float,
        *,
        bits: int | None = None,
        scale: float | None = None,
        unsigned: bool = False,
    ) -> None:
        """Append a Quant and remember its result."""
        random = self.random
        width = bits or int(random.integers(1, 17 if random.random() < 0.3 else 9))
        if width == 1 and not unsigned:
            step = self.scale(deviation) if scale is None else scale
            name = self.node("BipolarQuant", [real, self.constant("scale", step)], DOMAIN)
            self.maps.append(Map(name, channels, factor, 1, step, step))
            return
        levels = (1 << width) - 1
        step = self.scale(5 * deviation / levels) if scale is None else scale
        zero = 0 if bits is not None or random.random() < 0.6 else int(random.integers(-3, 4))
        inputs = [real, *(self.constant("q", value) for value in (step, zero, width))]
        name = self.node(
            "Quant",
            inputs,
            DOMAIN,
            signed=int(not unsigned),
            narrow=int(bits is None and random.random() < 0.3),
            rounding_mode="ROUND" if bits is not None else str(random.choice(ROUNDINGS)),
        )
        self.maps.append(Map(name, channels, factor, width + 1, step, deviation))

    def weights(self, shape: tuple[int, ...], bits: int) -> tuple[str, NDArray[np.float32]]:
        """Random weights and what a Quant makes of them, with a scale for each output channel."""
        random = self.random
        scales = np.array([self.scale(2.0**-bits) for _ in range(shape[0])], np.float32)
        scales = scales.reshape(-1, 1, 1, 1)
        real = random.normal(0, 0.4, shape).astype(np.float32)
        if bits == 1:
            inputs = [self.constant("weight", real), self.constant("scale", scales)]
            return self.node("BipolarQuant", inputs, DOMAIN), scales
        inputs = [self.constant("weight", real), self.constant("scale", scales)]
        inputs += [self.constant("zero", 0.0), self.constant("bits", bits)]
        narrow = int(random.random() < 0.5)
        attributes = {"signed": 1, "narrow": narrow, "rounding_mode": "ROUND"}
        return self.node("Quant", inputs, DOMAIN, **attributes), scales


def _convolution(model: RandomQonnx, source: Map) -> None:
    random = model.random
    outputs, kernel = int(random.integers(1, 9)), int(random.choice([1, 3]))
    taps = source.channels * kernel**2
    room = _SUM_BITS - 1 - source.bits - taps.bit_length()
    if room < 1:
        return
    bits = int(random.integers(1, min(room, 16), endpoint=True))
    weight, scales = model.weights((outputs, source.channels, kernel, kernel), bits)
    real = model.node("Conv", [source.name, weight], pads=[kernel // 2] * 4)
    deviation = float(source.deviation * 0.45 * np.sqrt(taps))
    if random.random() < 0.4:
        gain = np.exp2(random.integers(-1, 2, outputs)) * random.choice([-1, 1, 1], outputs)
        offset = source.scale * scales.reshape(-1) * gain * random.integers(-50, 50, outputs)
        for kind, values in (("Mul", gain), ("Add", offset)):
            real = model.node(kind, [real, model.constant(kind, values.reshape(1, -1, 1, 1))])
    relu = bool(random.random() < 0.5)
    if relu:
        real = model.node("Relu", [real])
    model.quantized(real, outputs, source.factor, deviation, unsigned=relu)


def _addition(model: RandomQonnx, source: Map) -> None:
    like = [m for m in model.maps if (m.channels, m.factor) == (source.channels, source.factor)]
    other = like[int(model.random.integers(len(like)))]
    real = model.node("Add", [source.name, other.name])
    deviation = float(np.hypot(source.deviation, other.deviation))
    model.quantized(real, source.channels, source.factor, deviation)


def _multiplication(model: RandomQonnx, source: Map) -> None:
    like = [m for m in model.maps if (m.channels, m.factor) == (source.channels, source.factor)]
    other = like[int(model.random.integers(len(like)))]
    real = model.node("Mul", [source.name, other.name])
    deviation = 2 * source.deviation * other.deviation
    model.quantized(real, source.channels, source.factor, deviation)


def _copy(model: RandomQonnx, source: Map) -> None:
    real = source.name
    if source.bits <= _TABLE_BITS:
        real = model.node("LeakyRelu", [real], alpha=0.25)
    model.quantized(real, source.channels, source.factor, source.deviation)


def _pixel_shuffle(model: RandomQonnx, source: Map) -> None:
    if source.channels % 4 == 0 and source.factor == 1:
        real = model.node("DepthToSpace", [source.name], blocksize=2, mode="CRD")
        model.quantized(real, source.channels // 4, 2, source.deviation)


_OPERATORS: dict[str, Callable[[RandomQonnx, Map], None]] = {
    "convolution": _convolution,
    "another convolution": _convolution,
    "addition": _addition,
    "multiplication": _multiplication,
    "copy": _copy,
    "pixel shuffle": _pixel_shuffle,
}


def executed(content: bytes, image: NDArray[np.int32], white: float = 1.0) -> NDArray[np.float32]:
    """What QONNX's executor makes of a model for real numbers, [height, width, channels].

    Args:
        content: the file.
        image: pixels, int32 [height, width, colours].
        white: value of a white pixel at the model's input.
    """
    from onnx import ModelProto

    model = ModelWrapper(ModelProto.FromString(content)).transform(InferShapes())
    (source,), (target,) = model.graph.input, model.graph.output
    real = image.astype(np.float32) * np.float32(white / 255)
    found = execute_onnx(model, {source.name: real.transpose(2, 0, 1)[None]})[target.name]
    result: NDArray[np.float32] = found[0].transpose(1, 2, 0)
    return result
