"""QONNX's IntQuant as an oracle: primitive roundings of a shift, the zero point before them."""

import numpy as np
from numpy.typing import NDArray
from qonnx.custom_op.general.intquant import int_quant

from hwsim.verify.oracles.rescale_cases import Rescale


def quantize(case: Rescale, rounding: str) -> NDArray[np.int32]:
    """Output codes of IntQuant, int32 of the sums' shape.

    Args:
        case: shifts alone, of sums that float32 holds.
        rounding: QONNX's ``rounding_mode``.
    """
    scale = np.exp2(case.shift).astype(np.float32)
    codes = int_quant(
        case.sums.astype(np.float32),
        scale,
        np.float32(case.zero_point),
        np.float32(8),
        signed=True,
        narrow=False,
        rounding_mode=rounding,
    )
    # int_quant gives real numbers, which are whole steps from the zero point.
    found: NDArray[np.int32] = np.rint(codes / scale).astype(np.int32) + case.zero_point
    return found
