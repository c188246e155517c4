"""An arithmetic: how each kind of operator is computed on whole feature maps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.overflows import Overflows
from quant.graph import Convolution, Operator, TensorType

Codes = NDArray[Any]
Compute = Callable[[Any, Sequence[TensorType], Sequence[Codes]], Codes]
"""(operator, its operands' types, their integers [height, width, channels]) to the result's."""
Accumulate = Callable[[Convolution, Sequence[TensorType], Sequence[Codes]], tuple[Codes, Overflows]]
"""As `Compute`, of a convolution that declares an accumulator, with the sums that overflowed."""
Shuffled = Callable[[Convolution, Sequence[TensorType], Sequence[Codes], int], Codes]
"""As `Compute`, of a convolution and the pixel shuffle of a factor behind it, in DCR order."""


def at_least_int32(codes: Codes) -> Codes:
    """Codes of a type that has room to compute with them."""
    return codes if codes.dtype.itemsize >= 4 else codes.astype(np.int32)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A way to compute every operator.

    Attributes:
        name: what reports call it.
        operators: how each type of operator is computed.
        accumulate: how a convolution that declares an accumulator is computed.
        shuffled: how a convolution and a pixel shuffle are computed at once, if they can be.
    """

    name: str
    operators: Mapping[type[Operator], Compute]
    accumulate: Accumulate
    shuffled: Shuffled | None = None

    def compute(
        self, operator: Operator, types: Sequence[TensorType], operands: Sequence[Codes]
    ) -> Codes:
        """The feature map an operator makes of its operands.

        Args:
            operator: any but an input.
            types: of the operands.
            operands: integers [height, width, channels] of those types.
        """
        if isinstance(operator, Convolution) and operator.accumulator is not None:
            return self.accumulate(operator, types, operands)[0]
        return self.operators[type(operator)](operator, types, operands)

    def replacing(self, operator: type[Operator], compute: Compute) -> "Arithmetic":
        """The same arithmetic with one operator computed in another way, and none at once."""
        operators = {**self.operators, operator: compute}
        return replace(self, operators=operators, shuffled=None)
