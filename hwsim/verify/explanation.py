"""How one integer of a feature map comes about: the operands of its accumulator, line by line."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.machine.arithmetic import Codes
from hwsim.verify.checks import Index
from quant.common.requantization import FusedTerms, Requantization, TermRounding
from quant.common.requantization_modes import MODES
from quant.graph import (
    Add,
    Concatenate,
    Convolution,
    Encode,
    LookupTable,
    Multiply,
    Operator,
    ParametricRelu,
    PixelShuffle,
    Requantize,
    ScaledConvolution,
    TensorType,
    TransposedConvolution,
)

Integers = NDArray[np.int64]
Lines = tuple[str, ...]

_OUTSIDE = "outside"


def explained(
    operator: Operator, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Lines:
    """What an operator's integer at an index is made of.

    Args:
        operator: any but an input.
        types: of the operands.
        operands: integers [height, width, channels].
        index: row, column and channel of the output.
    """
    explain = _EXPLANATIONS.get(type(operator), _operands_alone)
    return tuple(explain(operator, types, operands, index))


def _convolution(
    convolution: Convolution, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    row, column, channel = index
    (down, across), padding = convolution.stride, convolution.padding
    width = convolution.in_channels // convolution.groups
    first = channel // (convolution.out_channels // convolution.groups) * width

    def codes(tap_row: int, tap_column: int) -> tuple[str, Integers]:
        place = (
            row * down + tap_row * convolution.dilation[0] - padding.top,
            column * across + tap_column * convolution.dilation[1] - padding.left,
        )
        if convolution.border == "replicate":
            rows, columns = operands[0].shape[:2]
            place = min(max(place[0], 0), rows - 1), min(max(place[1], 0), columns - 1)
        text, pixel = _pixel(operands[0], place, convolution.pad_code)
        return text, pixel[first : first + width]

    yield from _taps(convolution, channel, codes)


def _scaled_convolution(
    convolution: ScaledConvolution,
    types: Sequence[TensorType],
    operands: Sequence[Codes],
    index: Index,
) -> Iterator[str]:
    """As of a convolution, of what its taps read: points times reaches, and means."""
    codes, factors = operands
    points, is_centred = convolution.points, convolution.is_centred
    inside = reference.scaled_operands(codes, factors, points, is_centred)
    yield from _convolution(convolution, types, [inside], index)


def _encode(
    encode: Encode, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    channel = index[2]
    mean, reach, reciprocal = (int(row[channel]) for row in operands[1].reshape(3, -1))
    yield f"value {int(operands[0][index])}, mean {mean}, reach {reach}, reciprocal {reciprocal}"
    yield f"code is how many lie below: {' '.join(map(str, encode.thresholds[channel].tolist()))}"


def _transposed_convolution(
    convolution: TransposedConvolution,
    types: Sequence[TensorType],
    operands: Sequence[Codes],
    index: Index,
) -> Iterator[str]:
    row, column, channel = index
    padding = convolution.padding

    def codes(tap_row: int, tap_column: int) -> tuple[str, Integers]:
        spread = row + tap_row - padding.top, column + tap_column - padding.left
        steps = [divmod(side, step) for side, step in zip(spread, convolution.stride, strict=True)]
        # Between pixels lies what lies around them: pad codes.
        place = (-1, -1) if steps[0][1] or steps[1][1] else (steps[0][0], steps[1][0])
        return _pixel(operands[0], place, convolution.pad_code)

    yield from _taps(convolution, channel, codes)


def _pixel(image: Codes, place: tuple[int, int], pad_code: Integers) -> tuple[str, Integers]:
    """A pixel's codes, or the pad codes, and which in words."""
    height, width, channels = image.shape
    if 0 <= place[0] < height and 0 <= place[1] < width:
        return f"row {place[0]}, column {place[1]}", image[place].astype(np.int64)
    return _OUTSIDE, np.broadcast_to(pad_code, channels)


def _tap_offset(
    convolution: Convolution | TransposedConvolution, channel: int, row: int, column: int
) -> int:
    """What a tap adds to an output channel's sum where it lies inside the image."""
    if isinstance(convolution, TransposedConvolution) or convolution.tap_offset is None:
        return 0
    return int(convolution.tap_offset[channel, row, column])


def _taps(
    convolution: Convolution | TransposedConvolution,
    channel: int,
    codes: Callable[[int, int], tuple[str, Integers]],
) -> Iterator[str]:
    """A line for each tap with its products, then bias, sum and requantization."""
    bias = int(convolution.bias[channel])
    total = bias
    yield f"bias {bias}"
    for tap_row in range(convolution.kernel[0]):
        for tap_column in range(convolution.kernel[1]):
            place, inputs = codes(tap_row, tap_column)
            weights = convolution.weight[channel, tap_row, tap_column]
            products = inputs * weights
            total += int(products.sum())
            offset = _tap_offset(convolution, channel, tap_row, tap_column)
            terms = " + ".join(
                f"{int(code)}·{int(weight)}" for code, weight in zip(inputs, weights, strict=True)
            )
            yield f"tap {tap_row},{tap_column} ({place}): {int(products.sum())} = {terms}"
            if offset and place != _OUTSIDE:
                total += offset
                yield f"tap {tap_row},{tap_column}: offset {offset}"
    yield f"sum {total}"
    if isinstance(convolution, Convolution) and convolution.accumulator is not None:
        yield f"accumulator {convolution.accumulator}"
    yield requantization_line(convolution.requantization, channel)


def _add(
    add: Add, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    codes = [int(operand[index]) for operand in operands]
    first, second = add.multipliers
    match add.term_rounding:
        case None:
            total = codes[0] * first + codes[1] * second + add.bias
            yield f"sum {total} = {codes[0]}·{first} + {codes[1]}·{second} + {add.bias}"
            yield requantization_line(add.requantization, index[2])
        case TermRounding() as terms:
            for code, multiplier, shift, zero in zip(
                codes, add.multipliers, terms.shifts, terms.zero_points, strict=True
            ):
                yield (
                    f"term tflite_double(({code} - {zero})·2^{terms.left_shift} · {multiplier} "
                    f"/ 2^{shift})"
                )
            yield f"bias {add.bias}"
            yield requantization_line(add.requantization, index[2])
        case FusedTerms(addend=addend):
            yield (
                f"sum fma({codes[0]}, {_single(first)}, fma({codes[1]}, {_single(second)}, "
                f"{_single(addend)})) in float32"
            )
            yield f"code nearest(sum) within {_clamp(add.requantization)}"


def _requantize(
    requantize: Requantize, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    code, bias = int(operands[0][index]), _of_channel(requantize.bias, index[2])
    yield f"sum {code + bias} = {code} + {bias}"
    yield requantization_line(requantize.requantization, index[2])


def _multiply(
    multiply: Multiply, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    codes = []
    for operand in operands:
        # A factor of one pixel or one channel counts for all of them.
        place = tuple(
            position if side > 1 else 0 for position, side in zip(index, operand.shape, strict=True)
        )
        codes.append(int(operand[place]))
    (first, second), (one, other) = codes, multiply.biases
    total = (first + one) * (second + other)
    yield f"product {total} = ({first} + {one})·({second} + {other})"
    yield requantization_line(multiply.requantization, index[2])


def _prelu(
    prelu: ParametricRelu, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    code = int(operands[0][index])
    if code + prelu.bias >= 0:
        yield f"sum {code + prelu.bias} = {code} + {prelu.bias}"
        yield requantization_line(prelu.positive, index[2])
        return
    slope = _of_channel(prelu.slope, index[2])
    yield f"sum {(code + prelu.bias) * slope} = ({code} + {prelu.bias})·{slope}"
    yield requantization_line(prelu.negative, index[2])


def _lookup_table(
    lookup: LookupTable, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    code = int(operands[0][index])
    row = lookup.table[index[2] if len(lookup.table) > 1 else 0]
    yield f"code {int(row[code - types[0].integer.low])} from the table's entry of {code}"


def _pixel_shuffle(
    shuffle: PixelShuffle, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    factor, (row, column, channel) = shuffle.factor, index
    phase = row % factor * factor + column % factor
    channels = types[0].channels // factor**2
    source = phase * channels + channel if shuffle.order == "dcr" else channel * factor**2 + phase
    place = row // factor, column // factor, source
    yield f"code {int(operands[0][place])} from {_words(place)}"


def _concatenate(
    concatenate: Concatenate, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    row, column, channel = index
    for number, operand in enumerate(operands):
        if channel < operand.shape[2]:
            place = row, column, channel
            yield f"code {int(operand[place])} from operand {number}, {_words(place)}"
            return
        channel -= operand.shape[2]


def _operands_alone(
    operator: Operator, types: Sequence[TensorType], operands: Sequence[Codes], index: Index
) -> Iterator[str]:
    """For the others: what stands at the same place in operands that have one."""
    for number, operand in enumerate(operands):
        if all(position < side for position, side in zip(index, operand.shape, strict=True)):
            yield f"operand {number}: {int(operand[index])}"


def requantization_line(given: Requantization, channel: int) -> str:
    """How a channel's sum becomes a code, in a line."""
    multiplier = _of_channel(given.multiplier, channel)
    if not MODES[given.rounding].is_float:
        scaled = f"sum · {multiplier} / 2^{_of_channel(given.shift, channel)}"
    elif given.destination_scale:
        scaled = f"sum · {_single(multiplier)} · {_single(given.destination_scale)}"
    else:
        scaled = f"sum · {_single(multiplier)}"
    if given.zero_point_first:
        return f"code {given.rounding}({scaled} + {given.zero_point}) within {_clamp(given)}"
    return f"code {given.rounding}({scaled}) + {given.zero_point} within {_clamp(given)}"


def _clamp(given: Requantization) -> str:
    return f"{given.low} to {given.high}"


def _of_channel(values: Integers, channel: int) -> int:
    return int(values[channel if len(values) > 1 else 0])


def _single(bits: int) -> str:
    """A float32 of a bit pattern, as the shortest decimal that is read as it."""
    return str(np.array(bits, np.int32).view(np.float32))


def _words(place: Index) -> str:
    return f"row {place[0]}, column {place[1]}, channel {place[2]}"


_EXPLANATIONS: dict[type[Operator], Callable[[Any, Any, Any, Index], Iterator[str]]] = {
    Convolution: _convolution,
    ScaledConvolution: _scaled_convolution,
    Encode: _encode,
    TransposedConvolution: _transposed_convolution,
    Add: _add,
    Multiply: _multiply,
    Requantize: _requantize,
    ParametricRelu: _prelu,
    LookupTable: _lookup_table,
    PixelShuffle: _pixel_shuffle,
    Concatenate: _concatenate,
}
