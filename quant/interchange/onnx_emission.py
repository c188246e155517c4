"""From operators on real numbers, and how their results are quantized, to nodes of a graph.

What ONNX Runtime fuses to an operator on 8-bit codes is computed as it computes that; everything
else, which it computes in floating point, exactly with one rounding (`quant.interchange.exact`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from quant.common.errors import UnsupportedError
from quant.graph import CodeKind, Concatenate, IntegerType, LookupTable, Padding, TensorType
from quant.graph.operators import Integers, Operator
from quant.interchange import derivation, exact
from quant.interchange.onnx_constant_operands import constant_type, table
from quant.interchange.onnx_functions import of_channels
from quant.interchange.onnx_geometry import Geometry, geometry, spread_padding
from quant.interchange.onnx_values import (
    UNCLAMPED,
    Clamp,
    Codes,
    Doubles,
    Pending,
    Quantizer,
    Real,
    RealConstant,
)

if TYPE_CHECKING:
    from quant.interchange.onnx_reader import Reader

_Emit = Callable[["Reader", Pending, Quantizer, str], Codes]

CONVENTION = "onnxruntime"
TABLE_BITS = 12
"""Widest codes that a table is made for."""

_CODE_BITS = 8


def emit(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
    """Append the nodes of an operator whose result is quantized.

    Args:
        reader: has the nodes so far.
        pending: the operator.
        target: how its result is quantized.
        name: of the node.

    Raises:
        UnsupportedError: the integer graph has no such operator.
    """
    target = target.of_feature_map()
    if target.integer.kind is CodeKind.ODD and not _is_table(pending):
        return _emit_signs(reader, pending, target, name)
    made = EMITTERS[pending.kind](reader, pending, target, name)
    for move in pending.moves:
        made = reader.moved(f"{name}.{move.kind}", move, made)
    return made


def _emit_signs(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
    """-1 and 1, which no rounding makes: first -1 and 0 by rounding down, then a table."""
    halves = replace(
        target, integer=IntegerType(2, CodeKind.SIGNED), low=-1, high=0, rounding="floor"
    )
    made = emit(reader, pending, halves, f"{name}.halves")
    table = np.array([[-1, -1, 1, 1]])
    return reader.append(name, LookupTable(table), (made,), target.tensor(made.tensor.channels))


def _emit_convolution(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
    source, weight, bias = pending.operands
    turned = pending.kind == "ConvTranspose"
    integers, scale, centred = _kernel(weight, pending, turned)
    shape = _shape(pending, integers.shape[1:3], source, turned)
    if source.tensor.integer.kind is CodeKind.ODD and shape.padding != Padding():
        source = _with_zero(reader, source, f"{name}.input")
    output = target.tensor(pending.channels)
    if not turned and _fuses_convolution(source.tensor, weight, output.integer, pending, target):
        steps = _engine_biases(bias, source.tensor, weight.scale, len(integers))
        if steps is not None:
            made = derivation.convolution(
                CONVENTION, source.tensor, output, integers, steps, weight.scale, shape.padding,
                derivation.whole_range(output),
            )  # fmt: skip
            made = replace(
                made,
                weight_type=centred,
                stride=shape.stride,
                dilation=shape.dilation,
                groups=shape.groups,
            )
            return reader.append(name, made, (source,), output)
    reader.note_float(pending.source)
    real = np.zeros(len(integers)) if bias is None else _real(bias, len(integers))
    offset = real * pending.scale + pending.offset
    plain = exact.convolution(
        source.tensor, integers, centred, scale, offset, shape, target, pending.clamp
    )
    return reader.append(name, exact.transposed(plain) if turned else plain, (source,), output)


def _with_zero(reader: "Reader", source: Real, name: str) -> Real:
    """-1 and 1 among codes of which one is 0, so that there is one to pad with."""
    tensor = replace(source.tensor, integer=IntegerType(2, CodeKind.SIGNED))
    made = reader.append(name, LookupTable(np.array([[-1, 0, 1]])), (source,), tensor)
    return replace(source, node=made.node, tensor=tensor)


def _kernel(
    weight: RealConstant, pending: Pending, turned: bool
) -> tuple[Integers, Doubles, IntegerType]:
    """Weights [out, height, width, in], their scales with what follows, and their type."""
    if turned:
        integers = np.transpose(weight.integers[:, :, ::-1, ::-1], (1, 2, 3, 0))
    else:
        integers = np.moveaxis(weight.integers, 1, 3)
    scale = weight.scale.astype(np.float64) * pending.scale
    if (scale < 0).any():  # multipliers have no sign, weights have
        integers = integers * np.where(scale < 0, -1, 1).reshape(-1, 1, 1, 1)
    integers = np.ascontiguousarray(integers, np.int64)
    centred = weight.centred if weight.centred.contains(integers) else _wider(weight.centred)
    return integers, np.abs(scale), centred


def _wider(integer: IntegerType) -> IntegerType:
    return IntegerType(integer.bits + 1, CodeKind.SIGNED)


def _shape(pending: Pending, kernel: tuple[int, ...], source: Real, turned: bool) -> Geometry:
    found = geometry(pending.source.attributes, (int(kernel[0]), int(kernel[1])))
    around, own = source.padding, found.padding
    if turned:
        if found.groups > 1 or around.rows or around.columns:
            raise UnsupportedError("a transposed convolution of groups, or with a Pad before it")
        return replace(found, padding=spread_padding(pending.source.attributes, found))
    joined = type(own)(
        own.top + around.top,
        own.bottom + around.bottom,
        own.left + around.left,
        own.right + around.right,
    )
    return replace(found, padding=joined)


def _fuses_convolution(
    source: TensorType,
    weight: RealConstant,
    output: IntegerType,
    pending: Pending,
    target: Quantizer,
) -> bool:
    """Whether ONNX Runtime makes a QLinearConv of it."""
    signed = CodeKind.SIGNED
    return (
        _fuses(pending, target, (source.integer, output))
        and weight.stored.bits == _CODE_BITS
        and (source.integer.kind is not signed or weight.stored.kind is signed)
    )


def _fuses(pending: Pending, target: Quantizer, types: tuple[IntegerType, ...]) -> bool:
    """Whether an operator on 8-bit codes of one type is quantized as it is, without a clamp."""
    return (
        set(types) == {target.integer}
        and target.integer.bits == _CODE_BITS
        and target.integer.is_consecutive
        and target.rounding == "half_even"
        and not target.zero_first
        and target.whole
        and pending.is_plain
        and exact.clamp_codes(pending.clamp, target) == (target.low, target.high)
    )


def _engine_biases(
    bias: RealConstant | Doubles | None,
    source: TensorType,
    weight_scale: derivation.Singles,
    channels: int,
) -> Integers | None:
    """Biases as QLinearConv takes them, or None where it would not be made of this one.

    Integers are taken as they are, whatever scale they come with. Real ones are divided by the
    product of the scales in float32.
    """
    match bias:
        case None:
            return np.zeros(channels, np.int64)
        case RealConstant(integers=integers, stored=stored):
            return integers.reshape(-1) if stored.bits == _BIAS_BITS else None
        case _:
            unit = np.float32(source.encoding.scale) * weight_scale
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                steps = np.rint(np.asarray(bias, np.float32).reshape(-1) / unit)
            fits = np.abs(steps) < 1 << _BIAS_BITS - 1
            return steps.astype(np.int64) if fits.all() else None


_BIAS_BITS = 32


def _real(constant: RealConstant | Doubles, channels: int) -> Doubles:
    values = constant.real() if isinstance(constant, RealConstant) else constant
    return np.broadcast_to(np.asarray(values, np.float64).reshape(-1), channels)


_Fused = Callable[[TensorType, TensorType, TensorType, derivation.Clamp], Operator]
_Exact = Callable[[Sequence[TensorType], Quantizer, Clamp], Operator]


def _emit_binary(fused: _Fused, exactly: _Exact) -> "_Emit":
    def emit_binary(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
        first, second = pending.operands
        if isinstance(second, RealConstant):
            return _emit_with_constant(reader, pending, target, name)
        types = first.tensor, second.tensor
        output = target.tensor(pending.channels)
        if _fuses(pending, target, (types[0].integer, types[1].integer)):
            made = fused(*types, output, derivation.whole_range(output))
        else:
            reader.note_float(pending.source)
            _require_plain(pending)
            made = exactly(types, target, pending.clamp)
        return reader.append(name, made, (first, second), output)

    return emit_binary


def _emit_with_constant(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
    """A sum or product with a constant: a table, as the runtime computes it where it fuses it."""
    source, constant = pending.operands
    numbers = of_channels(constant.integers)
    if numbers.size not in (1, pending.channels):
        raise UnsupportedError(f"of {pending.channels} channels and {numbers.size} constants")
    if _fuses(pending, target, (source.tensor.integer, constant.stored)):
        zero, output = int(constant.zero[0]), target.tensor(pending.channels)
        other = constant_type(source.tensor, float(constant.scale[0]), zero)
        made = LookupTable(table(pending.kind, source.tensor, other, numbers + zero, output))
        return reader.append(name, made, (source,), output)
    single = (numbers * constant.scale).astype(np.float32)[:, None]
    apply = np.add if pending.kind == "Add" else np.multiply
    return _emit_copy(
        reader, replace(pending, steps=(lambda real: apply(real, single),)), target, name
    )


def _emit_concatenation(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
    """Every operand in the codes of the result, then side by side."""
    _require_plain(pending)
    operands = []
    for position, operand in enumerate(pending.operands):
        alone = replace(pending, operands=(operand,), channels=operand.tensor.channels, moves=())
        operands.append(_emit_copy(reader, alone, target, f"{name}.input{position}"))
    output = target.tensor(pending.channels)
    return reader.append(name, Concatenate(), tuple(operands), output)


def _emit_pool(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
    (source,) = pending.operands
    attributes = pending.source.attributes
    shape = geometry(attributes)
    if shape.padding.rows or shape.padding.columns or attributes.get("ceil_mode", 0):
        raise UnsupportedError("an average pool with padding or ceil_mode")
    if shape.dilation != (1, 1):
        raise UnsupportedError("an average pool with dilations")
    reader.note_float(pending.source)
    _require_plain(pending)
    made = exact.average_pool(source.tensor, shape, target, pending.clamp)
    return reader.append(name, made, (source,), target.tensor(pending.channels))


def _emit_resize(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
    source, factor = pending.operands
    reader.note_float(pending.source)
    _require_plain(pending)
    made = exact.bilinear_resize(source.tensor, factor, target, pending.clamp)
    return reader.append(name, made, (source,), target.tensor(pending.channels))


def _emit_copy(reader: "Reader", pending: Pending, target: Quantizer, name: str) -> Codes:
    """Pointwise functions of one feature map: a table of every code, computed in float32."""
    source = pending.operands[0]
    output = target.tensor(pending.channels)
    integer = source.tensor.integer
    if not _is_table(pending):
        _require_plain(pending)
        made: Operator = exact.copy(source.tensor, target, pending.clamp)
        return reader.append(name, made, (source,), output)
    codes = np.arange(integer.low, integer.high + 1)
    scale = np.float32(source.tensor.encoding.scale)
    real = (codes - derivation.zero_point(source.tensor)).astype(np.float32)[None] * scale
    for step in pending.steps:
        real = step(real)
    if pending.clamp != UNCLAMPED:
        low, high = pending.clamp
        real = np.clip(real, np.float32(low), np.float32(high))
    if not np.isfinite(real).all():
        raise UnsupportedError("results that are no finite numbers")
    table = target.codes(real)
    if integer == output.integer and (table == codes).all():
        return Codes(source.node, output)
    return reader.append(name, LookupTable(table), (source,), output)


def _is_table(pending: Pending) -> bool:
    """Whether it is a function of few enough codes to tabulate."""
    return pending.kind == "Copy" and pending.operands[0].tensor.integer.bits <= TABLE_BITS


def _require_plain(pending: Pending) -> None:
    if not pending.is_plain:
        raise UnsupportedError("something else than a clamp between it and its quantization")


EMITTERS: dict[str, "_Emit"] = {
    "Conv": _emit_convolution,
    "ConvTranspose": _emit_convolution,
    "Add": _emit_binary(derivation.onnx_addition, exact.addition),
    "Mul": _emit_binary(derivation.onnx_multiplication, exact.multiplication),
    "Concat": _emit_concatenation,
    "AveragePool": _emit_pool,
    "Resize": _emit_resize,
    "Copy": _emit_copy,
}
"""(reader, operator, how its result is quantized, name) to nodes, by the operator's kind."""
