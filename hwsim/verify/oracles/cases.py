"""Random quantized operators as inference engines see them: codes, real scales, zero points.

Scales are chosen from the expected spread of the sums, so that output codes use their range, and
often so that sums fall on halves or next to them, which roundings differ in.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.operator_case import OperatorCase
from quant.common.codes import CodeKind
from quant.graph import Convolution, Encoding, IntegerType, Padding, Requantization, TensorType
from quant.interchange.derivation import convolution, folded_bias

KERNEL_SIDES = (1, 3, 5)
SIGNED_8 = IntegerType(8, CodeKind.SIGNED)
UNSIGNED_LESS_ZERO = IntegerType(9, CodeKind.SIGNED)
"""What holds every weight of 8 bits without sign less its zero point."""
_EVEN_SPREAD = 12**-0.5  # standard deviation of evenly drawn codes over their range


@dataclass(frozen=True, slots=True)
class Codes:
    """What the codes of a case are drawn from.

    Attributes:
        input: type of the feature maps.
        largest_input: greatest input code and zero point, where an engine's products need room.
        largest_weight: magnitude up to which weights are drawn that have a sign.
        unsigned_weights: whether weights are 8 bits without sign, less a zero point.
        symmetric: whether zero points are 0.
        bias: whether there is one.
        relu: whether some cases clamp at the zero point.
    """

    input: IntegerType = SIGNED_8
    largest_input: int = 127
    largest_weight: int = 127
    unsigned_weights: bool = False
    symmetric: bool = False
    bias: bool = True
    relu: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedConvolution:
    """A convolution of stride 1 with everything an engine asks for.

    Attributes:
        codes: int32 [height, width, in_channels].
        input: type of the feature maps, before and after.
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels], less the zero point.
        weight_zero: None for weights of 8 bits with sign and the zero point 0, else the zero point
            of weights of 8 bits without.
        bias: int64 [out_channels], in units of the sums.
        keep_size: whether zero points surround the image so that its size stays.
        relu: whether the output is clamped at its zero point.
        input_scale: a float32.
        input_zero: a code.
        weight_scales: float32 [out_channels].
        output_scale: a float32.
        output_zero: a code.
    """

    codes: NDArray[np.int32]
    input: IntegerType
    weight: NDArray[np.int64]
    weight_zero: int | None
    bias: NDArray[np.int64]
    keep_size: bool
    relu: bool
    input_scale: float
    input_zero: int
    weight_scales: NDArray[np.float32]
    output_scale: float
    output_zero: int

    @property
    def padding(self) -> tuple[int, int]:
        """Rows above and below, columns left and right."""
        if not self.keep_size:
            return 0, 0
        return self.weight.shape[1] // 2, self.weight.shape[2] // 2

    def __str__(self) -> str:
        rows, columns = self.weight.shape[1:3]
        shape = "×".join(str(axis) for axis in self.codes.shape)
        return (
            f"{rows}×{columns} on {shape} {self.input} to {len(self.weight)} channels, scales "
            f"{self.input_scale:.9g} and {self.output_scale:.9g}, zero points {self.input_zero} "
            f"and {self.output_zero}"
        )


def random_convolution(random: np.random.Generator, codes: Codes) -> QuantizedConvolution:
    """A convolution with random shape, codes and scales."""
    height, width = (int(side) for side in random.integers(5, 20, 2, endpoint=True))
    inputs, outputs = (int(count) for count in random.integers(1, 40, 2, endpoint=True))
    kernel = tuple(int(side) for side in random.choice(KERNEL_SIDES, 2))
    low, high = codes.input.low, min(codes.largest_input, codes.input.high)
    image = random.integers(low, high, (height, width, inputs), np.int32, endpoint=True)
    largest = int(random.choice([1, codes.largest_weight // 8, codes.largest_weight]))
    weight_zero, weights = None, (-largest, largest)
    if codes.unsigned_weights:
        weight_zero = int(random.integers(0, 255, endpoint=True))
        weights = -weight_zero, 255 - weight_zero
    weight = random.integers(*weights, (outputs, *kernel, inputs), endpoint=True)
    if random.random() < 0.2:  # only extremes
        image = random.choice(np.array([low, high], np.int32), image.shape)
        weight = random.choice(np.array(weights), weight.shape)
    deviation = _EVEN_SPREAD * (high - low) * np.sqrt(np.square(weight).sum(axis=(1, 2, 3)) + 1)
    bias = np.rint(deviation * random.uniform(-0.5, 0.5, outputs)).astype(np.int64)
    scales = _SCALES[int(random.integers(len(_SCALES)))](random, outputs)
    spread = random.uniform(1, 4) * float((scales.input * scales.weight * deviation).mean())
    output_scale = scales.output(2 * spread / (codes.input.high - codes.input.low))
    # Taps outside the image read the input's zero point, a code like the others.
    input_zero = int(random.integers(low, high, endpoint=True))
    output_zero = int(random.integers(codes.input.low, codes.input.high, endpoint=True))
    return QuantizedConvolution(
        codes=image,
        input=codes.input,
        weight=weight,
        weight_zero=weight_zero,
        bias=bias if codes.bias else np.zeros_like(bias),
        keep_size=bool(random.random() < 0.5),
        relu=codes.relu and bool(random.random() < 0.3),
        input_scale=scales.input,
        input_zero=0 if codes.symmetric else input_zero,
        weight_scales=scales.weight,
        output_scale=output_scale,
        output_zero=0 if codes.symmetric else output_zero,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scales:
    """Input and weight scales, and which output scale lies near a wanted one."""

    input: float
    weight: NDArray[np.float32]
    output: Callable[[float], float]


def _any_scales(random: np.random.Generator, outputs: int) -> _Scales:
    weight = random.uniform(1e-3, 1e-2, outputs).astype(np.float32)
    return _Scales(single(random.uniform(1e-3, 0.5)), weight, single)


def _powers_of_two(random: np.random.Generator, outputs: int) -> _Scales:
    """Quotients that are powers of two, where halves are exact."""
    weight = np.ldexp(1, -random.integers(7, 10, outputs, endpoint=True)).astype(np.float32)
    return _Scales(
        float(2.0 ** -random.integers(1, 9)),
        weight,
        lambda wanted: float(2 ** np.rint(np.log2(wanted))),
    )


def _decimals(random: np.random.Generator, outputs: int) -> _Scales:
    """Quotients near 1/2, 1/4, 1/6, …: how the scales were rounded decides about halves."""
    image, weight = random.integers(1, 99) / 1000, random.integers(1, 9) / 1000
    step = image * weight
    return _Scales(
        single(image),
        np.full(outputs, weight, np.float32),
        lambda wanted: single(step * 2 * max(1, round(wanted / step / 2))),
    )


_SCALES = (_any_scales, _powers_of_two, _decimals)


def single(value: float) -> float:
    """The float32 nearest to a value."""
    return float(np.float32(value))


def our_convolution(case: QuantizedConvolution, mode: str) -> OperatorCase:
    """A case in one of our modes."""
    channels = case.codes.shape[2]
    source, output = (
        TensorType(count, case.input, Encoding(scale, (zero,)))
        for count, scale, zero in (
            (channels, case.input_scale, case.input_zero),
            (len(case.weight), case.output_scale, case.output_zero),
        )
    )
    operator = convolution(
        mode,
        source,
        output,
        case.weight,
        case.bias,
        case.weight_scales,
        Padding.even(*case.padding),
        (case.output_zero if case.relu else case.input.low, case.input.high),
    )
    if case.weight_zero is not None:
        operator = replace(operator, weight_type=UNSIGNED_LESS_ZERO)
    return OperatorCase(str(case), operator, (source,), (case.codes,))


def our_sums(case: QuantizedConvolution, _mode: str) -> OperatorCase:
    """The sums of a case without its bias, unscaled, in one of our operators."""
    channels = case.codes.shape[2]
    source = TensorType(channels, case.input, Encoding(1.0, (case.input_zero,)))
    one, nothing = np.ones(1, np.int64), np.zeros(1, np.int64)
    operator = Convolution(
        case.weight,
        UNSIGNED_LESS_ZERO,
        folded_bias(case.weight, np.zeros(len(case.weight), np.int64), source),
        Padding.even(*case.padding),
        np.array([case.input_zero]),
        Requantization(one, nothing, 0, -(2**31), 2**31 - 1),
    )
    return OperatorCase(str(case), operator, (source,), (case.codes,))
