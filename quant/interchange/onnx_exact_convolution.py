"""Sums of a convolution as integers in floats: float32, of parts of the weights where need be."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from onnx import numpy_helper

from quant.common.codes import CodeKind
from quant.graph import Convolution, IntegerType, Node
from quant.graph.operators import Integers
from quant.interchange.onnx_draft import DOUBLE, FLOAT
from quant.interchange.onnx_maps import Map, MapWriter, centre_of, centred_bias
from quant.interchange.onnx_rescaling import DOUBLE_LIMIT, FLOAT_LIMIT, InexactError, Sums

_ONE = np.ones(1, np.float32)


def exact_sums(writer: MapWriter, node: Node, convolution: Convolution, source: Map) -> Sums:
    """Append a convolution of codes.

    Where float32 could not hold a partial sum, weights are cut into digits: convolutions of each
    are exact, and their results, times the digit's place, are added in float64.

    Raises:
        InexactError: that does not help.
    """
    bias = centred_bias(convolution, centre_of(convolution, source))
    given = writer.centred(node, convolution, source)
    bound = _bound(convolution, convolution.weight, source) + _most(convolution, bias)
    if bound <= FLOAT_LIMIT:
        sums = _part(writer, node, convolution, given, bias)
        if convolution.tap_offset is not None:
            sums = _with_tap_offsets(writer, node, convolution, sums, source)
        return Sums(sums, writer.shape(node), FLOAT, bound)
    if convolution.tap_offset is not None or bound > DOUBLE_LIMIT:
        raise _too_large(bound)
    digits = _digit_bits(convolution, source)
    return Sums(_sliced(writer, node, convolution, given, bias, digits), writer.shape(node),
                DOUBLE, bound)  # fmt: skip


def _part(
    writer: MapWriter, node: Node, convolution: Convolution, given: str, bias: Integers | None
) -> str:
    """A convolution in float32."""
    draft, dialect = writer.draft, writer.dialect
    weight = dialect.weights(
        draft,
        f"{node.name}.weight",
        convolution.weight.transpose(0, 3, 1, 2),
        convolution.weight_type,
        _ONE,
    )
    biases = None if bias is None else dialect.biases(draft, f"{node.name}.bias", bias, _ONE)
    return writer.convolve(node, convolution, given, weight, biases)


def _sliced(
    writer: MapWriter,
    node: Node,
    convolution: Convolution,
    given: str,
    bias: Integers,
    digit_bits: int,
) -> str:
    """The sum of convolutions of the weights' digits and the bias, in float64."""
    draft, shape = writer.draft, writer.shape(node)
    added = bias.astype(np.float64).reshape(1, -1, 1, 1)
    total = draft.constant(f"{node.name}.bias", added)
    integer = IntegerType(digit_bits, CodeKind.SIGNED)
    for place, digit in enumerate(_digits(convolution.weight, digit_bits)):
        part = replace(node, name=f"{node.name}.digit{place}")
        writer.sizes[part.name] = writer.sizes[node.name]
        kernel = replace(convolution, weight=digit, weight_type=integer)
        sums = _part(writer, part, kernel, given, None)
        wide = draft.operator("Cast", [sums], f"{part.name}.wide", shape, DOUBLE, to=DOUBLE)
        weight = draft.constant(f"{part.name}.place", np.float64(1 << digit_bits * place))
        placed = draft.operator("Mul", [wide, weight], f"{part.name}.placed", shape, DOUBLE)
        total = draft.operator("Add", [total, placed], f"{part.name}.total", shape, DOUBLE)
    return total


def _digits(weight: Integers, bits: int) -> Iterator[Integers]:
    """Signed digits of some bits, the lowest first: weight = Σ digit · 2^(bits · place)."""
    rest, half = weight, 1 << bits - 1
    while rest.any():
        digit = (rest + half) % (1 << bits) - half
        yield digit
        rest = (rest - digit) >> bits


def _digit_bits(convolution: Convolution, source: Map) -> int:
    """The widest digits whose convolutions float32 holds.

    Raises:
        InexactError: there are none.
    """
    least = 0
    for bits in range(convolution.weight_type.bits, 1, -1):
        bounds = [_bound(convolution, digit, source) for digit in _digits(convolution.weight, bits)]
        least = max(bounds, default=0)
        if least <= FLOAT_LIMIT:
            return bits
    raise _too_large(least)


def _too_large(bound: int) -> InexactError:
    return InexactError(f"sums up to {FLOAT_LIMIT}, which float32 holds", f"up to {bound}")


def _bound(convolution: Convolution, weight: Integers, source: Map) -> int:
    """The largest magnitude of any partial sum of products."""
    integer, centre = source.tensor.integer, centre_of(convolution, source)
    reach = np.maximum(abs(integer.low - centre), abs(integer.high - centre))
    inputs, groups = weight.shape[3], convolution.groups
    of_channel = np.broadcast_to(reach, inputs * groups).reshape(groups, 1, 1, 1, inputs)
    magnitudes = np.abs(weight).reshape(groups, -1, *weight.shape[1:])
    return int((magnitudes * of_channel).sum(axis=(2, 3, 4)).max())


def _most(convolution: Convolution, bias: Integers) -> int:
    """The largest magnitude of what is added to products."""
    added = np.abs(bias)
    if convolution.tap_offset is not None:
        added = added + np.abs(convolution.tap_offset).sum(axis=(1, 2))
    return int(added.max())


def _with_tap_offsets(
    writer: MapWriter, node: Node, convolution: Convolution, sums: str, source: Map
) -> str:
    """Sums with the offsets of the taps inside the image: a convolution of ones."""
    assert convolution.tap_offset is not None
    draft, padding = writer.draft, convolution.padding
    size = (1, 1, *source.shape[2:])
    shape = draft.constant(f"{node.name}.inside.shape", np.array(size, np.int64))
    one = numpy_helper.from_array(np.ones(1, np.float32))
    ones = draft.operator("ConstantOfShape", [shape], f"{node.name}.inside", size, value=one)
    offsets = convolution.tap_offset[:, None].astype(np.float32)
    weight = draft.constant(f"{node.name}.tap_offsets", offsets)
    of_taps = draft.operator(
        "Conv",
        [ones, weight],
        f"{node.name}.offsets",
        writer.shape(node),
        pads=[padding.top, padding.left, padding.bottom, padding.right],
        strides=[*convolution.stride],
        dilations=[*convolution.dilation],
    )
    return draft.operator("Add", [sums, of_taps], f"{node.name}.all_sums", writer.shape(node))
