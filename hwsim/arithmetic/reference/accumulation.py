"""Sums kept in accumulators of a declared width, which can overflow."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from hwsim.arithmetic.geometry import DENSE, Geometry
from hwsim.arithmetic.overflows import Overflows
from hwsim.arithmetic.reference.convolution import convolve, every
from hwsim.arithmetic.reference.integers import Integers, integers
from quant.common.accumulators import Accumulator


def accumulate(
    ifm: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike,
    accumulator: Accumulator,
    geometry: Geometry = DENSE,
) -> tuple[Integers, Overflows]:
    """What a convolution leaves in accumulators of a declared width, and which of them overflowed.

    Args:
        ifm: [H, W, I], already padded.
        weight: [O, KH, KW, I/groups].
        bias: [O], what every sum begins with.
        accumulator: width and what happens beyond it. Under ``error`` a sum saturates at every
            step as well: it is not to be used, but it is defined.
        geometry: stride, dilation and groups; groups divide I and O.

    Returns:
        The accumulators, shaped as those of `convolve`, and the overflows among them.
    """
    low, high = accumulator.low, accumulator.high
    if accumulator.minds_every_step:
        return _clamped_at_every_step(integers(ifm), integers(weight), bias, low, high, geometry)
    exact = convolve(ifm, weight, bias, geometry)
    overflows = Overflows.among((exact < low) | (exact > high), exact)
    if accumulator.overflow == "wrap":
        return (exact - low) % 2**accumulator.bits + low, overflows
    return np.clip(exact, low, high), overflows


def _clamped_at_every_step(
    image: Integers, kernel: Integers, bias: ArrayLike, low: int, high: int, geometry: Geometry
) -> tuple[Integers, Overflows]:
    height, width = geometry.output_size(image.shape[:2], kernel.shape[1:3])
    exact = np.broadcast_to(integers(bias), (height, width, len(kernel)))
    kept = np.clip(exact, low, high)
    left = (exact < low) | (exact > high)
    first_outside = exact
    for products in _products(image, kernel, geometry):
        exact = exact + products
        kept = np.clip(kept + products, low, high)
        first_outside = np.where(left, first_outside, exact)
        left = left | (exact < low) | (exact > high)
    return kept, Overflows.among(left, first_outside)


def _products(image: Integers, kernel: Integers, geometry: Geometry) -> Iterator[Integers]:
    """The products of all outputs, [height, width, O] each, in the order they are added in."""
    outputs, kernel_height, kernel_width, group_inputs = kernel.shape
    height, width = geometry.output_size(image.shape[:2], (kernel_height, kernel_width))
    first_input = np.arange(outputs) // (outputs // geometry.groups) * group_inputs
    for ky in range(kernel_height):
        for kx in range(kernel_width):
            rows = every(geometry.stride[0], ky * geometry.dilation[0], height)
            columns = every(geometry.stride[1], kx * geometry.dilation[1], width)
            for channel in range(group_inputs):
                operands = image[rows, columns][:, :, first_input + channel]
                yield operands * kernel[:, ky, kx, channel]
