"""Integer graphs as ONNX models whose numbers between quantizers are the real ones codes stand for.

This is how other tools write quantized networks, and what they read. An engine computes it in
float32 and rounds there, so that codes can differ by one from the graph's; where it makes operators
on codes of it instead, as ONNX Runtime does of 8-bit ones, the graph's integers come out, if the
graph is in that engine's convention.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.common.requantization_modes import PRIMITIVE_MODES
from quant.graph import (
    Add,
    BilinearResize,
    Convolution,
    FusedTerms,
    LookupTable,
    Multiply,
    Node,
    ParametricRelu,
    Requantization,
    Requantize,
    TensorType,
    TermRounding,
)
from quant.graph.operators import RESIZE_FRACTION_BITS, Integers
from quant.graph.requantization_rules import broken
from quant.interchange.onnx_dialects import NEAREST, Qonnx
from quant.interchange.onnx_maps import Map, MapWriter, centre_of, centred_bias, offset_of
from quant.interchange.recovery import real_factor, weight_scales

Doubles = NDArray[np.float64]

_CLOSE = 2.0**-20
"""Relative distance of factors that are taken for the same: 31-bit ones of float32 scales."""
_NO_CODE = 2.0**-12
"""Part of a code that is left away, what is left of constants that cancel."""
_DIRECTED = ("floor", "ceil", "trunc_zero")


class RealWriter(MapWriter):
    """Writes numbers that are what codes stand for."""

    scales = "real"

    def unit(self, tensor: TensorType) -> np.float32:
        """The scale of the encoding."""
        return np.float32(tensor.encoding.scale)

    def rounding(self, node: Node) -> str:
        """The graph's own, where the dialect has it."""
        given = getattr(node.operator, "requantization", None)
        if given is None or given.rounding not in PRIMITIVE_MODES:
            return NEAREST
        rounding: str = given.rounding
        if rounding in _DIRECTED and not isinstance(self.dialect, Qonnx):
            raise broken(node, "a rounding to the nearest code, QuantizeLinear's", rounding)
        return rounding

    @property
    def writers(self) -> Mapping[type[Any], Callable[..., str]]:
        """Those of real numbers."""
        return _WRITERS

    def clamped(self, node: Node, real: str, given: Requantization) -> str:
        """A real result within the limits of its codes, where those are not the type's."""
        integer, draft = node.output.integer, self.draft
        if (given.low, given.high) == (integer.low, integer.high):
            return real
        offset, unit = offset_of(node.output), self.unit(node.output)
        name, shape = f"{node.name}.clamped", self.shape(node)
        if (given.low, given.high) == (offset, integer.high):
            return draft.operator("Relu", [real], name, shape)
        limits = [
            draft.constant(f"{name}.{which}", unit * np.float32(code - offset))
            for which, code in (("low", given.low), ("high", given.high))
        ]
        return draft.operator("Clip", [real, *limits], name, shape)

    def scaled(
        self, node: Node, real: str, factor: Doubles, addend: Doubles, suffix: str = "scaled"
    ) -> str:
        """A real number times a factor and plus an addend, each for all or one for each channel."""
        draft, shape = self.draft, self.shape(node)
        name = f"{node.name}.{suffix}"
        if (np.abs(factor - 1) > _CLOSE).any():
            constant = draft.constant(f"{name}.factor", _of_channels(factor))
            real = draft.operator("Mul", [real, constant], f"{name}.times", shape)
        if addend.any():
            constant = draft.constant(f"{name}.addend", _of_channels(addend))
            real = draft.operator("Add", [real, constant], f"{name}.plus", shape)
        return real

    def moved_zero(self, node: Node, given: Requantization) -> Doubles:
        """What is added to a result whose code of 0 is not the one that is written as 0."""
        distance = given.zero_point - offset_of(node.output)
        return np.array([distance * float(self.unit(node.output))])


def _convolution(writer: RealWriter, node: Node, convolution: Convolution, source: Map) -> str:
    if convolution.tap_offset is not None:
        raise broken(node, "no offsets of taps inside the image", "some")
    draft, dialect, given = writer.draft, writer.dialect, convolution.requantization
    scales = _weight_scales(writer, node, convolution, source)
    real = writer.centred(node, convolution, source)
    weight = convolution.weight.transpose(0, 3, 1, 2)
    integer = convolution.weight_type
    weights = dialect.weights(draft, f"{node.name}.weight", weight, integer, scales)
    bias = centred_bias(convolution, centre_of(convolution, source))
    steps = (source.unit * scales).astype(np.float32)
    biases = dialect.biases(draft, f"{node.name}.bias", bias, steps)
    made = writer.convolve(node, convolution, real, weights, biases)
    made = writer.scaled(node, made, np.ones(1), writer.moved_zero(node, given), "zero")
    return writer.clamped(node, made, given)


def _weight_scales(
    writer: RealWriter, node: Node, convolution: Convolution, source: Map
) -> NDArray[np.float32]:
    """Of each output channel: those an engine derives the graph's factors from, if any."""
    given, channels = convolution.requantization, convolution.out_channels
    scales = node.output.encoding.scale
    found = weight_scales(given, channels, source.tensor.encoding.scale, scales)
    if found is None:
        unit = float(writer.unit(node.output)) / float(source.unit)
        found = (real_factor(given, channels) * unit).astype(np.float32)
    if not (np.isfinite(found).all() and (found > 0).all()):
        raise broken(node, "scales of weights that float32 holds, above 0", "others")
    return found


def _addition(writer: RealWriter, node: Node, add: Add, first: Map, second: Map) -> str:
    given, unit = add.requantization, float(writer.unit(node.output))
    factors, constant = _linear(add)
    constant += given.zero_point - offset_of(node.output)
    made = []
    for position, (operand, factor) in enumerate(zip((first, second), factors, strict=True)):
        constant += factor * operand.offset
        ratio = np.array([factor * unit / float(operand.unit)])
        made.append(writer.scaled(node, operand.name, ratio, np.zeros(1), f"term{position}"))
    real = writer.draft.operator(
        "Add", made, f"{node.name}.sum", writer.shape(node), name=node.name
    )
    addend = np.array([constant * unit if abs(constant) > _NO_CODE else 0.0])
    return writer.clamped(node, writer.scaled(node, real, np.ones(1), addend), given)


def _linear(add: Add) -> tuple[list[float], float]:
    """An addition in real numbers: a factor for the codes of each operand, and a constant."""
    scale = float(_factors(add.requantization)[0])
    match add.term_rounding:
        case TermRounding(zero_points=zeros, shifts=shifts, left_shift=left):
            factors = [
                float(np.ldexp(float(factor), left - shift)) * scale
                for factor, shift in zip(add.multipliers, shifts, strict=True)
            ]
            return factors, -sum(f * zero for f, zero in zip(factors, zeros, strict=True))
        case FusedTerms(addend=addend):
            bits = np.array([*add.multipliers, addend], np.int32)
            *factors, constant = (bits.view(np.float32).astype(np.float64) * scale).tolist()
            return factors, constant
        case None:
            return [factor * scale for factor in add.multipliers], add.bias * scale


def _multiplication(
    writer: RealWriter, node: Node, multiply: Multiply, first: Map, second: Map
) -> str:
    given = multiply.requantization
    factors = [
        writer.shifted(node, operand, -bias, f"factor{position}.shift")
        for position, (operand, bias) in enumerate(
            zip((first, second), multiply.biases, strict=True)
        )
    ]
    real = writer.draft.operator(
        "Mul", factors, f"{node.name}.product", writer.shape(node), name=node.name
    )
    units = float(first.unit) * float(second.unit) / float(writer.unit(node.output))
    ratio = _factors(given) / units
    made = writer.scaled(node, real, ratio, writer.moved_zero(node, given))
    return writer.clamped(node, made, given)


def _requantization(writer: RealWriter, node: Node, requantize: Requantize, source: Map) -> str:
    given = requantize.requantization
    step = _factors(given) * float(writer.unit(node.output))
    addend = (source.offset + requantize.bias) * step + writer.moved_zero(node, given)
    made = writer.scaled(node, source.name, step / float(source.unit), addend)
    made = writer.clamped(node, made, given)
    if made != source.name:
        return made
    return writer.draft.operator("Identity", [made], f"{node.name}.same", writer.shape(node))


def _prelu(writer: RealWriter, node: Node, prelu: ParametricRelu, source: Map) -> str:
    draft, shape = writer.draft, writer.shape(node)
    positive, negative = _factors(prelu.positive), _factors(prelu.negative)
    if (prelu.positive.low, prelu.positive.high) != (prelu.negative.low, prelu.negative.high):
        raise broken(node, "one clamp for both sides", "another for each")
    step = positive * float(writer.unit(node.output))
    addend = (source.offset + prelu.bias) * step
    real = writer.scaled(node, source.name, step / float(source.unit), addend, "above")
    slope = draft.constant(f"{node.name}.slope", _of_channels(prelu.slope * negative / positive))
    made = draft.operator("PRelu", [real, slope], f"{node.name}.either", shape, name=node.name)
    made = writer.scaled(node, made, np.ones(1), writer.moved_zero(node, prelu.positive), "zero")
    return writer.clamped(node, made, prelu.positive)


def _table(writer: RealWriter, node: Node, table: LookupTable, source: Map) -> str:
    return writer.looked_up(node, table, source)


def _bilinear(writer: RealWriter, node: Node, resize: BilinearResize, source: Map) -> str:
    given = resize.requantization
    step = np.ldexp(_factors(given) * float(writer.unit(node.output)), 2 * RESIZE_FRACTION_BITS)
    bias = source.offset + np.ldexp(float(resize.bias), -2 * RESIZE_FRACTION_BITS)
    between = writer.interpolated(node, resize, source)
    addend = bias * step + writer.moved_zero(node, given)
    made = writer.scaled(node, between, step / float(source.unit), addend)
    return writer.clamped(node, made, given)


def _factors(given: Requantization) -> Doubles:
    """What sums are multiplied by: one factor for all, or one for each channel."""
    return real_factor(given, max(len(given.multiplier), len(given.shift)))


def _of_channels(values: Doubles | Integers) -> NDArray[np.float32]:
    return values.astype(np.float32).reshape((1, -1, 1, 1) if values.size > 1 else ())


_WRITERS: dict[type[Any], Callable[..., str]] = {
    Convolution: _convolution,
    Add: _addition,
    Multiply: _multiplication,
    Requantize: _requantization,
    ParametricRelu: _prelu,
    LookupTable: _table,
    BilinearResize: _bilinear,
}
