"""Bilinear resize, average pool and statistics of feature maps, fast."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hwsim.arithmetic import _kernels_resampling
from hwsim.arithmetic._feature_maps import check_map, in_bands, largest_code
from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic._kernels_requantization import Scaling
from hwsim.arithmetic._requantization import check_requantization, check_sums
from hwsim.arithmetic.geometry import INTERPOLATION_BITS, interpolation
from hwsim.arithmetic.requantization_modes import kernel_scaling
from quant.common.requantization import Requantization


def bilinear_resize(
    ifm: Codes,
    factor: int,
    half_pixel_centers: bool,
    bias: int,
    requantization: Requantization,
) -> Codes:
    """Interpolate between four pixels and requantize (``docs/operators/bilinear_resize.md``).

    Args:
        ifm: int32 [H, W, C].
        factor: output pixels per input pixel, down and across.
        half_pixel_centers: whether pixels are squares with a centre, not points.
        bias: added to the weighted sums, which are in units of 2^-20 codes.
        requantization: sum to code, with parameters of C channels or of one for all.

    Returns:
        int32 [H · factor, W · factor, C].

    Raises:
        ValueError: the map has another type or shape, a parameter is out of range, or a sum could
            leave the mode's limits.
    """
    check_map(ifm, "bilinear resize")
    if factor < 1:
        raise ValueError(f"bilinear resize: factor {factor} must be at least 1")
    down, across = (interpolation(size, factor, half_pixel_centers) for size in ifm.shape[:2])
    return interpolate(ifm, down, across, bias, requantization)


def interpolate(
    ifm: Codes, down: Wide, across: Wide, bias: int, requantization: Requantization
) -> Codes:
    """Interpolate at any places: a whole bilinear resize, or a tile of one.

    Args:
        ifm: int32 [H, W, C].
        down: int64 [3, rows], which rows of ``ifm`` each output row lies between and how far
            behind the first of them; see `hwsim.arithmetic.geometry.interpolation`.
        across: int64 [3, columns], the same of columns.
        bias: as for `bilinear_resize`.
        requantization: as for `bilinear_resize`.

    Returns:
        int32 [rows, columns, C].

    Raises:
        ValueError: as for `bilinear_resize`, or a place lies outside the map.
    """
    check_map(ifm, "bilinear resize")
    for places, size in ((down, ifm.shape[0]), (across, ifm.shape[1])):
        if places[:2].min() < 0 or places[:2].max() >= size:
            raise ValueError(
                f"bilinear resize: places {places[:2].min()} … {places[:2].max()} leave the "
                f"{size} rows or columns of the map"
            )
    channels = ifm.shape[2]
    largest = (largest_code(ifm) << 2 * INTERPOLATION_BITS) + abs(bias)
    scaling = _scaling("bilinear resize", largest, bias, requantization, channels)
    image = np.ascontiguousarray(ifm)
    out = np.empty((down.shape[1], across.shape[1], channels), np.int32)

    def resize_band(first: int, end: int) -> None:
        _kernels_resampling.bilinear(
            image, down[:, first:end], across, 1 << INTERPOLATION_BITS, scaling, out[first:end]
        )

    in_bands(len(out), out.shape, resize_band)
    return out


def average_pool(
    ifm: Codes,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    bias: int,
    requantization: Requantization,
) -> Codes:
    """Sum windows of pixels and requantize (``docs/operators/average_pool.md``).

    Args:
        ifm: int32 [H, W, C].
        kernel: rows and columns of a window.
        stride: rows and columns between neighbouring windows.
        bias: added to each sum.
        requantization: sum to code, with parameters of C channels or of one for all.

    Returns:
        int32 [(H - kernel[0]) // stride[0] + 1, (W - kernel[1]) // stride[1] + 1, C].

    Raises:
        ValueError: the map has another type or shape or holds no window, a parameter is out of
            range, or a sum could leave the mode's limits.
    """
    check_map(ifm, "average pool")
    height, width, channels = ifm.shape
    if min(*kernel, *stride) < 1 or height < kernel[0] or width < kernel[1]:
        raise ValueError(
            f"average pool: windows of {kernel} pixels, {stride} apart, in an image of {height}x"
            f"{width}; expected positive numbers and a window within the image"
        )
    largest = largest_code(ifm) * kernel[0] * kernel[1] + abs(bias)
    scaling = _scaling("average pool", largest, bias, requantization, channels)
    image = np.ascontiguousarray(ifm)
    rows, columns = ((ifm.shape[i] - kernel[i]) // stride[i] + 1 for i in range(2))
    out = np.empty((rows, columns, channels), np.int32)

    def pool_band(first: int, end: int) -> None:
        _kernels_resampling.pool(
            image[first * stride[0] :], *kernel, *stride, scaling, out[first:end]
        )

    in_bands(rows, (*out.shape, *kernel), pool_band)
    return out


def _scaling(
    what: str, largest: int, bias: int, requantization: Requantization, channels: int
) -> Scaling:
    """The kernel's scaling of sums of up to a magnitude, everything checked."""
    mode = check_requantization(what, requantization, channels)
    check_sums(what, largest, mode, requantization)
    return kernel_scaling(np.array([bias], np.int64), requantization, channels)


_STATISTICS: dict[str, Callable[[Codes], Any]] = {
    "sum": lambda pixels: pixels.sum(axis=0, dtype=np.int64),
    "minimum": lambda pixels: pixels.min(axis=0),
    "maximum": lambda pixels: pixels.max(axis=0),
}


def statistics(ifm: Codes, statistic: str) -> Codes | Wide:
    """One number for each channel of a whole map (``docs/operators/statistics.md``).

    Args:
        ifm: int32 [H, W, C].
        statistic: ``sum``, ``minimum`` or ``maximum``.

    Returns:
        [1, 1, C]; sums int64, the others int32.

    Raises:
        ValueError: the map has another type or shape, or there is no such statistic.
    """
    check_map(ifm, "statistics")
    if statistic not in _STATISTICS:
        raise ValueError(f"statistics: no '{statistic}'; choose one of {', '.join(_STATISTICS)}")
    pixels = ifm.reshape(-1, ifm.shape[2])
    result: Codes | Wide = _STATISTICS[statistic](pixels).reshape(1, 1, -1)
    return result
