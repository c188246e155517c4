"""Convolution followed by requantization, as fast as the integers' bounds allow.

`pack_convolution` looks at the weights once, proves from the bounds of both operands which kernel
of `KERNELS` computes every possible result exactly, and lays the constants out for it;
`convolve` then runs that kernel on any padded image. The result equals
`reference.requantize(reference.convolve(...))` bit for bit (``docs/operators/convolution.md``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.arithmetic._convolution_layouts import Layout, Pack, PaddedRows, plain, tiled
from hwsim.arithmetic._instruction_sets import TABLE, available
from hwsim.arithmetic._jit import Codes, StoredCodes, Wide
from hwsim.arithmetic._kernels_requantization import Scaling
from hwsim.arithmetic._requantization import (
    LARGEST_PRODUCT,
    check_requantization,
    check_sums,
    largest_product,
)
from hwsim.arithmetic._tap_offsets import NO_BORDER, Border, TapOffsets
from hwsim.arithmetic._threads import BANDS_PER_THREAD, default_threads, map_bands, split_rows
from hwsim.arithmetic.convolution_bounds import ConvolutionBounds, convolution_bounds
from hwsim.arithmetic.geometry import DENSE, NO_PADDING, Geometry
from hwsim.arithmetic.requantization_modes import kernel_scaling
from quant.common.requantization import Requantization

MACS_PER_BAND = 100_000_000
"""Work worth handing to a thread: 0.2 ms to 2 ms at the fast kernels' 500 to 50 GMAC/s."""

MACS_PER_CODE = 100
"""Multiplications that take as long as making a code of a sum, about 0.2 ns."""

CODES_PER_BAND = 1_000_000
"""Input or output codes of a band, so that what one step leaves the next finds in a cache."""


@dataclass(frozen=True, slots=True)
class ConvolutionKernel:
    """A way to compute a convolution, and when it is exact.

    Attributes:
        name: of the instruction set, or of the type of the sums.
        is_exact: whether every result is that of unbounded integers, from the bounds and the
            largest magnitude of a sum times its multiplier.
        pack: constants to the kernel's own layout.
    """

    name: str
    is_exact: Callable[[ConvolutionBounds, int], bool]
    pack: Pack


def tiled_kernel(place: int) -> ConvolutionKernel:
    """The kernel of a row of the instruction sets."""
    row = TABLE[place]
    return ConvolutionKernel(
        row.name, lambda bounds, _product: row.holds(bounds) and bounds.sums_fit(32), tiled(place)
    )


INT64 = ConvolutionKernel(
    "int64",
    lambda bounds, product: max(bounds.accumulator, product) <= LARGEST_PRODUCT,
    plain,
)
"""For every other width; compiled for any processor."""

KERNELS = (*map(tiled_kernel, available()), INT64)
"""What Numba's target can run, in order of preference: the first that is exact is used."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedConvolution:
    """A convolution's constants in the order its kernel reads them; see `pack_convolution`."""

    kernel: ConvolutionKernel
    weight_shape: tuple[int, int, int, int]
    geometry: Geometry
    bounds: ConvolutionBounds
    layout: Layout
    scaling: Scaling
    tap_offsets: TapOffsets | None

    def border(self, rows: PaddedRows) -> Border:
        """What the windows of some rows lack that reach beyond the image."""
        if self.tap_offsets is None:
            return NO_BORDER
        return self.tap_offsets.border(rows.codes.shape[:2], rows.padding)


def pack_convolution(
    weight: Codes,
    bias: Wide,
    requantization: Requantization,
    input_low: int,
    input_high: int,
    geometry: Geometry = DENSE,
    kernels: Sequence[ConvolutionKernel] = KERNELS,
    tap_offset: Wide | None = None,
) -> PackedConvolution:
    """Prepare a convolution's constants for `convolve`.

    Args:
        weight: int32 [O, KH, KW, I/groups], magnitudes below 2^16.
        bias: int64 [O], added to the accumulator.
        requantization: accumulator to code, with parameters of O channels or of one for all.
        input_low: the least input code, pad codes included; magnitude below 2^16.
        input_high: the greatest.
        geometry: stride, dilation and groups.
        kernels: the kernels to choose from.
        tap_offset: int64 [O, KH, KW], what each tap inside the image adds to the accumulator.

    Raises:
        ValueError: an array has another type or shape than stated, a parameter is out of range,
            or no kernel is exact for such operands.
    """
    shape = _weight_shape(weight)
    geometry.check_channels(shape)
    bounds = convolution_bounds(weight, bias, input_low, input_high, tap_offset)
    mode = check_requantization("convolution", requantization, shape[0])
    product = largest_product(bounds.accumulator, mode, requantization.multiplier)
    kernel = next((kernel for kernel in kernels if kernel.is_exact(bounds, product)), None)
    if kernel is None:
        raise ValueError(
            f"convolution {list(shape)}: accumulators can reach {bounds.accumulator} and "
            f"their products {product}, too large for the kernels "
            f"{', '.join(kernel.name for kernel in kernels)}; narrow an operand or the multiplier"
        )
    check_sums("convolution", bounds.accumulator, mode, requantization)
    if tap_offset is not None:  # all of it, where no tap is outside
        bias = bias + tap_offset.sum(axis=(1, 2))
    return PackedConvolution(
        kernel=kernel,
        weight_shape=shape,
        geometry=geometry,
        bounds=bounds,
        layout=kernel.pack(weight, bias, geometry, bounds),
        scaling=kernel_scaling(bias, requantization, shape[0]),
        tap_offsets=None if tap_offset is None else TapOffsets(tap_offset, geometry),
    )


def convolve(packed: PackedConvolution, ifm: Codes, threads: int | None = None) -> Codes:
    """Convolve a padded image and requantize the accumulators.

    Args:
        packed: the constants.
        ifm: int32 [H, W, I], already padded, codes in the packed input_low … input_high.
        threads: at most this many; by default ``NUMBA_NUM_THREADS`` or all processors.

    Returns:
        int32 [(H - window height) // stride + 1, (W - window width) // stride + 1, O], where a
        window spans (K - 1) · dilation + 1 rows or columns.

    Raises:
        ValueError: the image has another type or depth, is smaller than the window, or holds a
            code out of range.
    """
    height, width = output_size(packed, ifm)
    ofm = np.empty((height, width, packed.weight_shape[0]), np.int32)
    no_code = np.zeros(ifm.shape[2], np.int32)
    convolve_rows(
        packed, PaddedRows(np.ascontiguousarray(ifm), NO_PADDING, no_code), 1, ofm, threads
    )
    return ofm


def convolve_rows(
    packed: PackedConvolution,
    image: PaddedRows,
    shuffle: int,
    ofm: StoredCodes,
    threads: int | None,
) -> None:
    """Convolve all rows of an image of the right type and size, in bands on threads.

    Args:
        packed: the constants.
        image: with its padding.
        shuffle: the factor of a pixel shuffle behind the convolution.
        ofm: [height · shuffle, width, O / shuffle], written.
        threads: at most this many; by default ``NUMBA_NUM_THREADS`` or all processors.

    Raises:
        ValueError: the image holds a code out of range.
    """
    stride = packed.geometry.stride[0]
    window, _ = packed.geometry.window(packed.weight_shape[1:3])

    def convolve_band(band: tuple[int, int]) -> bool:
        first, end = band
        rows = image.part(first * stride, (end - 1) * stride + window)
        codes = ofm[first * shuffle : end * shuffle]
        return packed.layout.run(rows, packed.border(rows), packed.scaling, shuffle, codes)

    height, width = ofm.shape[0] // shuffle, ofm.shape[1]
    if not map_bands(convolve_band, *_bands(packed, height, width, threads)):
        raise ValueError(
            f"convolution input: codes {image.codes.min()} … {image.codes.max()} leave the "
            f"{packed.bounds.input[0]} … {packed.bounds.input[1]} it was packed for"
        )


def output_size(packed: PackedConvolution, ifm: Codes) -> tuple[int, int]:
    """Rows and columns of the output; raises ValueError for an input that `convolve` refuses."""
    inputs = packed.weight_shape[3] * packed.geometry.groups
    if ifm.dtype != np.int32 or ifm.ndim != 3 or ifm.shape[2] != inputs:
        raise ValueError(
            f"convolution input: expected int32 [height, width, {inputs}], got {ifm.dtype} "
            f"{list(ifm.shape)}"
        )
    return padded_output_size(packed, ifm.shape[:2])


def padded_output_size(packed: PackedConvolution, size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the output of a padded image; raises ValueError where no window fits."""
    kernel = packed.weight_shape[1:3]
    output = packed.geometry.output_size(size, kernel)
    if min(output) < 1:
        window = packed.geometry.window(kernel)
        raise ValueError(
            f"convolution input: {size[0]}x{size[1]} pixels are fewer than the "
            f"{window[0]}x{window[1]} of the kernel's window; pad the image"
        )
    return output


def _bands(
    packed: PackedConvolution, height: int, width: int, threads: int | None
) -> tuple[list[tuple[int, int]], int]:
    """The bands of output rows and how many threads to run them on."""
    outputs, kernel_height, kernel_width, inputs = packed.weight_shape
    work = height * width * outputs * (kernel_height * kernel_width * inputs + MACS_PER_CODE)
    usable = default_threads() if threads is None else threads
    shared = 1 if usable == 1 else min(work // MACS_PER_BAND, usable * BANDS_PER_THREAD)
    codes = height * width * max(outputs, inputs * packed.geometry.groups)
    return split_rows(height, max(shared, codes // CODES_PER_BAND)), usable


def _weight_shape(weight: Codes) -> tuple[int, int, int, int]:
    if weight.dtype != np.int32 or weight.ndim != 4 or weight.size == 0:
        raise ValueError(
            "convolution weight: expected int32 [out_channels, kernel_height, kernel_width, "
            f"in_channels / groups], none of them 0, got {weight.dtype} {list(weight.shape)}"
        )
    return weight.shape
