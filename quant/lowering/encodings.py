"""From ranges and weights to integers: how feature maps and weights are encoded.

A feature map is encoded affinely, real = scale · (code − zero); weights are integers times one
scale per output channel. Source of the scheme: Jacob et al., "Quantization and training of neural
networks for efficient integer-arithmetic-only inference", CVPR 2018, sections 2.1 and 3.
"""

from dataclasses import dataclass, replace
from math import ceil, floor, frexp, ldexp, log2

import numpy as np

from quant.common.codes import CodeKind
from quant.common.requantization_modes import MODES
from quant.graph import Encoding, IntegerType, TensorType
from quant.graph.operators import Integers
from quant.graph.rule_parts import BIAS_BITS
from quant.graph.types import MAXIMUM_BITS
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import FloatInput, FloatLayer, Reals

_SMALLEST_SCALE = 2.0**-100  # for what is zero throughout, or as good as

IMAGE_BITS = 8

_OWN_BIAS_BITS = 30  # leaves half of a 32-bit accumulator to the products
_FOLDED_ZERO_BITS = BIAS_BITS - 2  # both parts of a bias together fit its stored width


@dataclass(frozen=True, slots=True)
class ScaleGrid:
    """The scales there are: ``unit`` times numbers of a few significant bits.

    Attributes:
        significant_bits: of a scale's mantissa. The last bits of a float network's values differ
            from processor to processor; rounding scales up to 12 bits (0.02 %) keeps most graphs
            the same everywhere. With one bit, scales are powers of two.
        unit: a scale that lies on the grid.
    """

    significant_bits: int = 12
    unit: float = 1.0

    def at_least(self, scale: float) -> float:
        """The least scale on the grid that is not below a given one."""
        fraction, exponent = frexp(max(scale, _SMALLEST_SCALE) / self.unit)
        above = np.ceil(ldexp(fraction * 2, self.significant_bits - 1))
        return float(ldexp(above, exponent - self.significant_bits)) * self.unit


FINE = ScaleGrid()


def scale_grid(network: FloatNetwork, rounding: str) -> ScaleGrid:
    """Scales a requantization mode can go between; powers of two where it has no multiplier."""
    powers_of_two = MODES[rounding].multipliers == (1, 1)
    return ScaleGrid(1, picture_encoding(network).scale) if powers_of_two else FINE


@dataclass(frozen=True, slots=True, eq=False)
class MapEncoding:
    """What the codes of a feature map mean: real = scale · (code − zero).

    Attributes:
        integer: the codes.
        scale: one step.
        zero: float64 [1] or [channels], where the real number 0 lies among the codes; it need not
            be one of them.
        pads_exactly: whether a tap outside the image is the real number 0 even where no code is;
            else it is the code nearest to it.
    """

    integer: IntegerType
    scale: float
    zero: Reals
    pads_exactly: bool = False

    @property
    def zero_codes(self) -> Integers:
        """The codes nearest to the real number 0, int64 [1] or [channels]; the upper of two."""
        nearest: Reals = np.floor(self.zero + 0.5)
        if self.integer.kind is CodeKind.ODD:
            nearest = 2 * np.floor(self.zero / 2) + 1
        codes: Integers = np.clip(nearest, self.integer.low, self.integer.high).astype(np.int64)
        return codes

    @property
    def has_zero(self) -> bool:
        """Whether the real number 0 is a code, of every channel."""
        return bool((self.zero_codes == self.zero).all())

    @property
    def zero_point(self) -> int:
        """What a requantization adds last: the code of 0 if that is a whole number, else 0."""
        (zero,) = set(self.zero.tolist())
        return int(zero) if zero == int(zero) else 0

    @property
    def offset(self) -> float:
        """The real number that is to be added before values become codes, besides `zero_point`."""
        return float(self.scale * (self.zero[0] - self.zero_point))

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for encodings of the same codes and meaning."""
        return self.integer, self.scale, self.zero.tobytes()

    def tensor_type(self, channels: int) -> TensorType:
        """The type of a feature map in this encoding."""
        zero = tuple(int(code) for code in self.zero_codes)
        return TensorType(channels, self.integer, Encoding(self.scale, zero))


@dataclass(frozen=True, slots=True, eq=False)
class WeightEncoding:
    """Integer weights: real = scale[out_channel] · weight.

    Attributes:
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels].
        integer: the integers the weights are drawn from.
        scale: float64 [out_channels].
    """

    weight: Integers
    integer: IntegerType
    scale: Reals


def with_consecutive_codes(encoding: MapEncoding) -> MapEncoding:
    """The encoding itself, or for odd codes the unsigned ones of the same values.

    With o = 2·k − N and N = 2^bits − 1, s·o = 2·s·(k − N/2): the real number 0 lies between two k.
    """
    if encoding.integer.kind is not CodeKind.ODD:
        return encoding
    integer = IntegerType(encoding.integer.bits, CodeKind.UNSIGNED)
    zero = (encoding.zero + integer.high) / 2
    return replace(encoding, integer=integer, scale=2 * encoding.scale, zero=zero)


def finer_encoding(encoding: MapEncoding) -> MapEncoding:
    """16-bit signed codes of the same range and more, 0 at code 0, whose steps divide a step."""
    integer = IntegerType(MAXIMUM_BITS, CodeKind.SIGNED)
    steps = np.abs(np.array([encoding.integer.low, encoding.integer.high]) - encoding.zero[0]).max()
    bits = floor(log2(integer.high / steps))
    return MapEncoding(integer, ldexp(encoding.scale, -bits), np.zeros(1))


def unsigned_encoding(low: float, high: float, bits: int, grid: ScaleGrid = FINE) -> MapEncoding:
    """Codes 0 … 2^bits − 1 over a range, with the real number 0 on a code.

    Args:
        low: smallest value to represent; above 0 it is taken as 0.
        high: largest value to represent; below 0 it is taken as 0.
        bits: width of a code.
        grid: the scales there are.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    integer = IntegerType(bits, CodeKind.UNSIGNED)
    scale = grid.at_least((high - low) / integer.high)
    zero = min(np.floor(-low / scale + 0.5), integer.high)
    return MapEncoding(integer, scale, np.array([zero]))


def signed_encoding(largest: float, bits: int, grid: ScaleGrid = FINE) -> MapEncoding:
    """Codes −2^(bits−1) … 2^(bits−1) − 1 with the real number 0 at code 0.

    Args:
        largest: largest magnitude to represent.
        bits: width of a code, at least 2.
        grid: the scales there are.
    """
    integer = IntegerType(bits, CodeKind.SIGNED)
    return MapEncoding(integer, grid.at_least(largest / integer.high), np.zeros(1))


def image_encoding(image: FloatInput, bits: int, grid: ScaleGrid = FINE) -> MapEncoding:
    """The image as a layer reads it: the 8-bit picture, or fewer bits over the same range.

    Args:
        image: the network's input.
        bits: width of a code; 8 and more are the picture itself.
        grid: the scales there are. Between powers of two, white is just above the last code.
    """
    integer = IntegerType(min(bits, IMAGE_BITS), CodeKind.UNSIGNED)
    coarser = ((1 << IMAGE_BITS) - 1) / integer.high
    if grid.significant_bits == 1:
        coarser = float(1 << (IMAGE_BITS - integer.bits))
    scale = image.scale * coarser
    return MapEncoding(integer, scale, -image.offset / scale)


def reach(encoding: MapEncoding) -> int:
    """The largest magnitude a code may have once the code of 0 is taken off, rounded up."""
    return encoding.integer.magnitude + ceil(float(np.abs(encoding.zero).max()))


def picture_encoding(network: FloatNetwork) -> MapEncoding:
    """The result: the codes are the 8-bit picture itself."""
    return MapEncoding(IntegerType(IMAGE_BITS), network.pixel_range / 255, np.zeros(1))


def smallest_weight_scales(convolution: FloatLayer, source: MapEncoding) -> Reals:
    """Scales below which a channel's bias would outgrow its sum: float64 [out_channels].

    A bias of b is stored as b / (source scale · weight scale): for a channel of tiny weights that
    could be any number. The bounds only touch channels whose weights hardly matter beside the
    bias.
    """
    own = np.abs(convolution.bias) / (source.scale * 2.0**_OWN_BIAS_BITS)
    zero = np.abs(zero_of_taps(convolution, source))
    folded = (np.abs(convolution.weight) * zero).sum(axis=(1, 2, 3)) / 2.0**_FOLDED_ZERO_BITS
    bound: Reals = np.maximum(own, folded)
    return np.maximum(bound, _SMALLEST_SCALE)


def zero_of_taps(layer: FloatLayer, source: MapEncoding) -> Reals:
    """The source's zero points as they meet a layer's weight [out_channels, …, in_channels]."""
    if source.zero.size == 1 or layer.groups == 1:
        return source.zero
    of_groups = source.zero.reshape(layer.groups, 1, 1, -1)
    return np.repeat(of_groups, len(layer.weight) // layer.groups, axis=0)


def symmetric_weights(
    weight: Reals,
    bits: int,
    smallest_scale: Reals,
    grid: ScaleGrid | None = None,
    largest: Reals | None = None,
) -> WeightEncoding:
    """Weights rounded per output channel to −(2^(bits−1) − 1) … 2^(bits−1) − 1.

    With one bit the weights are −1 and 1 times their channel's mean magnitude (Rastegari et al.,
    "XNOR-Net", ECCV 2016, section 3.1).

    Args:
        weight: float64 [out_channels, kernel_height, kernel_width, in_channels].
        bits: width of a weight.
        smallest_scale: float64 [out_channels], a bound that keeps biases representable.
        grid: the scales there are; None: any.
        largest: float64 [out_channels], the magnitude at which weights of two and more bits are
            clipped; None: none is.
    """
    magnitude = np.abs(weight)
    if bits == 1:
        scale = _on(grid, np.maximum(magnitude.mean(axis=(1, 2, 3)), smallest_scale))
        signs = np.where(weight < 0, -1, 1).astype(np.int64)
        return WeightEncoding(signs, IntegerType(1, CodeKind.ODD), scale)
    integer = IntegerType(bits, CodeKind.SIGNED)
    reach = magnitude.max(axis=(1, 2, 3)) if largest is None else largest
    scale = _on(grid, np.maximum(reach / integer.high, smallest_scale))
    rounded = np.floor(weight / scale[:, None, None, None] + 0.5)
    codes = np.clip(rounded, -integer.high, integer.high).astype(np.int64)
    return WeightEncoding(codes, integer, scale)


def mid_rise_weights(weight: Reals, bits: int, reach: float) -> WeightEncoding:
    """Weights rounded to odd integers −(2^bits − 1) … 2^bits − 1, one scale for all channels.

    The value of k = 0 … N, N = 2^bits − 1, is (2·k − N)·reach / N: zero is none of them. Source:
    the released code of AdaBM and FQSR, whose weights are quantized that way.

    Args:
        weight: float64 [out_channels, kernel_height, kernel_width, in_channels].
        bits: width of a weight.
        reach: the magnitude at which weights are clipped, above 0.
    """
    steps = (1 << bits) - 1
    scale = reach / steps
    codes = np.rint((np.clip(weight, -reach, reach) / scale + steps) / 2)
    odd = (2 * codes - steps).astype(np.int64)
    return WeightEncoding(odd, IntegerType(bits, CodeKind.ODD), np.full(len(weight), scale))


def _on(grid: ScaleGrid | None, scales: Reals) -> Reals:
    return scales if grid is None else np.array([grid.at_least(scale) for scale in scales.tolist()])
