"""An arithmetic: how each kind of operator is computed on whole feature maps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from quant.graph import Operator, TensorType

Codes = NDArray[Any]
Compute = Callable[[Any, Sequence[TensorType], Sequence[Codes]], Codes]
"""(operator, its operands' types, their integers [height, width, channels]) to the result's."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A way to compute every operator.

    Attributes:
        name: what reports call it.
        operators: how each type of operator is computed.
    """

    name: str
    operators: Mapping[type[Operator], Compute]

    def compute(
        self, operator: Operator, types: Sequence[TensorType], operands: Sequence[Codes]
    ) -> Codes:
        """The feature map an operator makes of its operands.

        Args:
            operator: any but an input.
            types: of the operands.
            operands: integers [height, width, channels] of those types.
        """
        return self.operators[type(operator)](operator, types, operands)

    def replacing(self, operator: type[Operator], compute: Compute) -> "Arithmetic":
        """The same arithmetic with one operator computed in another way."""
        return Arithmetic(self.name, {**self.operators, operator: compute})
