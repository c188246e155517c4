"""Multiplication of feature maps, fast (``docs/operators/multiply.md``)."""

import numpy as np

from hwsim.arithmetic import _kernels_elementwise
from hwsim.arithmetic._feature_maps import check_map, code_range, in_bands, pixels
from hwsim.arithmetic._jit import Codes
from hwsim.arithmetic._requantization import check_requantization, check_sums
from hwsim.arithmetic.requantization_modes import kernel_scaling
from quant.common.requantization import Requantization

_NO_BIAS = np.zeros(1, np.int64)


def multiply_requantize(
    first: Codes, second: Codes, biases: tuple[int, int], requantization: Requantization
) -> Codes:
    """Multiply a feature map by a factor for each value, pixel or channel, and requantize.

    Args:
        first: int32 [H, W, C].
        second: int32, of the first one's height and width or a single pixel, with C channels or 1.
        biases: added to the operands.
        requantization: product to code, with parameters of C channels or of one for all.

    Returns:
        int32 [H, W, C].

    Raises:
        ValueError: a map has another type or shape, a parameter is out of range, or a product
            could leave the mode's limits.
    """
    for codes in (first, second):
        check_map(codes, "multiplication")
    height, width, channels = first.shape
    if second.shape[:2] not in ((height, width), (1, 1)) or second.shape[2] not in (channels, 1):
        raise ValueError(
            f"multiplication: a factor of {list(second.shape)} for a map of {list(first.shape)}; "
            "expected its height and width or one pixel, and its channels or one"
        )
    mode = check_requantization("multiplication", requantization, channels)
    largest = 1
    for codes, bias in zip((first, second), biases, strict=True):
        least, greatest = code_range(codes)
        largest *= max(abs(least + bias), abs(greatest + bias))
    check_sums("multiplication", largest, mode, requantization)
    scaling = kernel_scaling(_NO_BIAS, requantization, channels)
    out = np.empty(first.shape, np.int32)
    image, factors, codes = pixels(first), pixels(second), pixels(out)
    by_pixel = len(factors) == len(image)

    def multiply_band(begin: int, end: int) -> None:
        _kernels_elementwise.multiply_requantize(
            image[begin:end],
            factors[begin:end] if by_pixel else factors,
            int(by_pixel),
            int(factors.shape[1] > 1),
            biases[0],
            biases[1],
            scaling,
            codes[begin:end],
        )

    in_bands(len(image), out.shape, multiply_band)
    return out
