"""Convolution followed by requantization, as fast as the integers' bounds allow.

`pack_convolution` looks at the weights once, proves from the bounds of both operands which kernel
of `KERNELS` computes every possible result exactly, and lays the constants out for it;
`convolve` then runs that kernel on any padded image. The result equals
`reference.requantize(reference.convolve(...))` bit for bit (``docs/operators/convolution.md``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic import _kernels_convolution_int16, _kernels_convolution_int64
from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic._requantization import (
    LARGEST_PRODUCT,
    check_requantization,
    check_sums,
    check_vector,
    largest_product,
    magnitude,
)
from hwsim.arithmetic._threads import BANDS_PER_THREAD, default_threads, map_bands, split_rows
from hwsim.arithmetic.requantization_modes import RECIPES, channel_parameters
from quant.common.requantization import Requantization

MACS_PER_BAND = 2_000_000
"""Work worth handing to a thread: about 40 µs at the fast kernel's 50 GMAC/s."""


@dataclass(frozen=True, slots=True)
class ConvolutionBounds:
    """What every input within its declared range keeps to.

    Attributes:
        weight: least and greatest weight.
        input: least and greatest input code, pad codes included.
        accumulator: the largest magnitude of bias and products summed in any order.
        product: the largest magnitude of an accumulator times its multiplier.
    """

    weight: tuple[int, int]
    input: tuple[int, int]
    accumulator: int
    product: int


@dataclass(frozen=True, slots=True)
class ConvolutionKernel:
    """A way to compute a convolution, and when it is exact.

    Attributes:
        name: of the operands' and accumulators' type.
        is_exact: whether no intermediate value can overflow within the bounds.
        pack: weights int32 [O, KH, KW·I] to the kernel's own layout.
        lanes: the kernel's per-channel parameters are padded to a multiple of this.
        run: (ifm, weights, parameters, input_low, input_high, family, zero_point, low, high, ofm)
            writes the codes to ``ofm`` [H - KH + 1, W - KW + 1, O]; false, and ``ofm``
            unspecified, when an input code lies outside input_low … input_high.
    """

    name: str
    is_exact: Callable[[ConvolutionBounds], bool]
    pack: Callable[[Codes], NDArray[np.signedinteger]]
    lanes: int
    run: Callable[..., bool]


def _fits(bounds: tuple[int, int], bits: int) -> bool:
    return -(1 << bits - 1) <= bounds[0] and bounds[1] < 1 << bits - 1


KERNELS = (
    ConvolutionKernel(
        name="int16",
        is_exact=lambda bounds: (
            _fits(bounds.weight, 16) and _fits(bounds.input, 16) and bounds.accumulator < 2**31
        ),
        pack=_kernels_convolution_int16.pack_pairs,
        lanes=_kernels_convolution_int16.LANES,
        run=_kernels_convolution_int16.convolve,
    ),
    ConvolutionKernel(
        name="int64",
        is_exact=lambda bounds: max(bounds.accumulator, bounds.product) <= LARGEST_PRODUCT,
        pack=np.ascontiguousarray,
        lanes=1,
        run=_kernels_convolution_int64.convolve,
    ),
)
"""In order of preference: the first that is exact is used."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedConvolution:
    """A convolution's constants in the order its kernel reads them; see `pack_convolution`."""

    kernel: ConvolutionKernel
    weight_shape: tuple[int, int, int, int]
    weights: NDArray[np.signedinteger]
    parameters: Wide
    input_low: int
    input_high: int
    family: int
    zero_point: int
    low: int
    high: int


def pack_convolution(
    weight: Codes,
    bias: Wide,
    requantization: Requantization,
    input_low: int,
    input_high: int,
    kernels: Sequence[ConvolutionKernel] = KERNELS,
) -> PackedConvolution:
    """Prepare a convolution's constants for `convolve`.

    Args:
        weight: int32 [O, KH, KW, I], magnitudes below 2^16.
        bias: int64 [O], added to the accumulator.
        requantization: accumulator to code, with parameters of O channels or of one for all.
        input_low: the least input code, pad codes included; magnitude below 2^16.
        input_high: the greatest.
        kernels: the kernels to choose from.

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or no kernel is exact for such operands.
    """
    outputs, kernel_height, kernel_width, inputs = _weight_shape(weight)
    check_vector(bias, "convolution bias", (outputs,))
    mode = check_requantization("convolution", requantization, outputs)
    rows = np.ascontiguousarray(weight).reshape(outputs, kernel_height, kernel_width * inputs)
    weight_bounds, accumulator = _weight_bounds(rows, bias, input_low, input_high)
    bounds = ConvolutionBounds(
        weight=weight_bounds,
        input=(input_low, input_high),
        accumulator=accumulator,
        product=largest_product(accumulator, mode, requantization.multiplier),
    )
    kernel = next((kernel for kernel in kernels if kernel.is_exact(bounds)), None)
    if kernel is None:
        raise ValueError(
            f"convolution {list(weight.shape)}: accumulators can reach {bounds.accumulator} and "
            f"their products {bounds.product}, too large for the kernels "
            f"{', '.join(kernel.name for kernel in kernels)}; narrow an operand or the multiplier"
        )
    check_sums("convolution", accumulator, mode, requantization.multiplier)
    padded_outputs = -(-outputs // kernel.lanes) * kernel.lanes
    return PackedConvolution(
        kernel=kernel,
        weight_shape=(outputs, kernel_height, kernel_width, inputs),
        weights=kernel.pack(rows),
        parameters=channel_parameters(bias, requantization, padded_outputs),
        input_low=input_low,
        input_high=input_high,
        family=RECIPES[requantization.rounding].family,
        zero_point=requantization.zero_point,
        low=requantization.low,
        high=requantization.high,
    )


def convolve(packed: PackedConvolution, ifm: Codes, threads: int | None = None) -> Codes:
    """Convolve a padded image with stride 1 and requantize the accumulators.

    Args:
        packed: the constants.
        ifm: int32 [H, W, I], already padded, codes in the packed input_low … input_high.
        threads: at most this many; by default ``NUMBA_NUM_THREADS`` or all processors.

    Returns:
        int32 [H - KH + 1, W - KW + 1, O].

    Raises:
        ValueError: the image has another type or depth, is smaller than the kernel, or holds a
            code out of range.
    """
    outputs, kernel_height, kernel_width, inputs = packed.weight_shape
    if ifm.dtype != np.int32 or ifm.ndim != 3 or ifm.shape[2] != inputs:
        raise ValueError(
            f"convolution input: expected int32 [height, width, {inputs}], got {ifm.dtype} "
            f"{list(ifm.shape)}"
        )
    height, width = ifm.shape[0] - kernel_height + 1, ifm.shape[1] - kernel_width + 1
    if height < 1 or width < 1:
        raise ValueError(
            f"convolution input: {ifm.shape[0]}x{ifm.shape[1]} pixels are fewer than the "
            f"{kernel_height}x{kernel_width} kernel; pad the image"
        )
    image = np.ascontiguousarray(ifm)
    ofm = np.empty((height, width, outputs), np.int32)

    def convolve_band(band: tuple[int, int]) -> bool:
        first, end = band
        return packed.kernel.run(
            image[first : end + kernel_height - 1],
            packed.weights,
            packed.parameters,
            packed.input_low,
            packed.input_high,
            packed.family,
            packed.zero_point,
            packed.low,
            packed.high,
            ofm[first:end],
        )

    if not map_bands(convolve_band, *_bands(packed, height, width, threads)):
        raise ValueError(
            f"convolution input: codes {ifm.min()} … {ifm.max()} leave the "
            f"{packed.input_low} … {packed.input_high} it was packed for"
        )
    return ofm


def _bands(
    packed: PackedConvolution, height: int, width: int, threads: int | None
) -> tuple[list[tuple[int, int]], int]:
    """The bands of output rows and how many threads to run them on."""
    macs = height * width * prod(packed.weight_shape)
    usable = default_threads() if threads is None else threads
    bands = 1 if usable == 1 else min(macs // MACS_PER_BAND, usable * BANDS_PER_THREAD)
    return split_rows(height, bands), usable


def _weight_shape(weight: Codes) -> tuple[int, int, int, int]:
    if weight.dtype != np.int32 or weight.ndim != 4 or weight.size == 0:
        raise ValueError(
            "convolution weight: expected int32 [out_channels, kernel_height, kernel_width, "
            f"in_channels], none of them 0, got {weight.dtype} {list(weight.shape)}"
        )
    return weight.shape


def _weight_bounds(
    rows: Codes, bias: Wide, input_low: int, input_high: int
) -> tuple[tuple[int, int], int]:
    """Least and greatest weight, and the largest accumulator magnitude of any channel."""
    bounds = int(rows.min()), int(rows.max())
    if not (_fits(bounds, 17) and _fits((input_low, input_high), 17) and input_low <= input_high):
        raise ValueError(
            f"convolution operands: weights in {bounds} and inputs in {input_low, input_high}; "
            "both must be integers of at most 17 bits"
        )
    largest_input = max(abs(input_low), abs(input_high))
    largest_sum = int(np.abs(rows).sum(axis=(1, 2), dtype=np.int64).max())
    return bounds, largest_sum * largest_input + magnitude(bias)
