"""Convolution of channels with factors of their own, fast.

``docs/operators/scaled_convolution.md`` defines it.

Sums are matrix products in float64. Operands, weights and biases are integers, and every partial
sum of their products is one of at most 2^53 in magnitude (checked before), so each addition and
each multiplication is exact, in whatever order the library adds and with or without fused
multiply-adds. Where that bound is passed, NumPy's int64 products are used instead.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._feature_maps import check_map
from hwsim.arithmetic._jit import CODE_TYPES, StoredCodes, Wide
from hwsim.arithmetic.elementwise import requantize_codes
from hwsim.arithmetic.geometry import DENSE, Geometry, Padding
from hwsim.arithmetic.normalization import checked_factors
from quant.common.requantization import Requantization
from quant.common.run_time_scaling import LARGEST_POINT

LARGEST_EXACT_FLOAT64 = 1 << 53
LARGEST_SUM = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class ScaledKernel:
    """The constants of a scaled convolution.

    Attributes:
        weight: int64 [O, KH, KW, I].
        bias: int64 [O].
        points: int64 [I, codes], in units of 2^-10.
        is_centred: whether means take part.
        requantization: sum to code.
        geometry: stride and dilation; one group.
    """

    weight: Wide
    bias: Wide
    points: Wide
    is_centred: bool
    requantization: Requantization
    geometry: Geometry = DENSE


def scaled_convolve(
    kernel: ScaledKernel, ifm: StoredCodes, factors: Wide, padding: Padding
) -> StoredCodes:
    """Convolve a whole map, or a tile of one, and requantize.

    Args:
        kernel: the constants.
        ifm: [H, W, I] of a type of `CODE_TYPES`: codes of table entries.
        factors: int64 [1, 1, 3·I], of a normalization.
        padding: rows and columns outside the image around it.

    Returns:
        [.., .., O], in the narrowest type that holds the codes of the requantization.

    Raises:
        ValueError: a map has another type or shape, a code has no point, or a sum could leave 64
            bits.
    """
    check_map(ifm, "scaled convolution", CODE_TYPES)
    inputs, codes = kernel.points.shape
    if ifm.shape[2] != inputs or ifm.min() < 0 or ifm.max() >= codes:
        raise ValueError(
            f"scaled convolution: expected codes 0 … {codes - 1} of {inputs} channels, got "
            f"{ifm.min()} … {ifm.max()} of {ifm.shape[2]}"
        )
    means, reaches, _ = checked_factors(factors, inputs, "scaled convolution")
    decoded = kernel.points * reaches[:, np.newaxis]
    if kernel.is_centred:
        decoded += LARGEST_POINT * means[:, np.newaxis]
    kind = _exact_type(kernel, decoded)
    operands = np.zeros((*padding.around(ifm.shape[:2]), inputs), kind)
    inside = operands[padding.top :, padding.left :][: ifm.shape[0], : ifm.shape[1]]
    inside[:] = decoded.astype(kind)[np.arange(inputs), ifm]
    sums = _convolved(operands, kernel.weight.astype(kind), kernel.geometry)
    return requantize_codes(sums.astype(np.int64), kernel.bias, kernel.requantization)


def _exact_type(kernel: ScaledKernel, decoded: Wide) -> type[np.float64] | type[np.int64]:
    """The type in which every partial sum of every output is exact."""
    largest = int(np.abs(decoded).max()) * int(np.abs(kernel.weight).sum(axis=(1, 2, 3)).max())
    if largest > LARGEST_SUM:
        raise ValueError(f"scaled convolution: sums can reach {largest}, more than 2^62")
    return np.float64 if largest <= LARGEST_EXACT_FLOAT64 else np.int64


def _convolved(operands: NDArray[Any], weight: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """Tap by tap, [rows, columns, O] of the operands' type."""
    outputs, rows, columns, inputs = weight.shape
    height, width = geometry.output_size(operands.shape[:2], (rows, columns))
    (down, across), (apart_down, apart_across) = geometry.stride, geometry.dilation
    sums = np.zeros((height * width, outputs), operands.dtype)
    for row in range(rows):
        for column in range(columns):
            window = operands[row * apart_down :: down, column * apart_across :: across]
            taps = np.ascontiguousarray(window[:height, :width]).reshape(-1, inputs)
            sums += taps @ weight[:, row, column].T
    return sums.reshape(height, width, outputs)
