"""QONNX's IntQuant as an oracle: the primitive roundings of a shift, with zero point 0.

With another zero point it rounds after adding it, which none of the primitive modes does.
"""

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
    found: NDArray[np.int32] = np.rint(codes / scale).astype(np.int32)  # int_quant gives reals
    return found
