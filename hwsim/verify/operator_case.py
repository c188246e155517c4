"""One operator with its operands, to be computed by whoever is compared."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.machine import Arithmetic
from hwsim.verify.checks import Index
from hwsim.verify.explanation import explained
from quant.graph import Operator, TensorType


@dataclass(frozen=True, slots=True, eq=False)
class OperatorCase:
    """An operator with its operands, and what it is in words."""

    description: str
    operator: Operator
    types: tuple[TensorType, ...]
    operands: tuple[NDArray[np.signedinteger[Any]], ...]

    def compute(self, arithmetic: Arithmetic) -> NDArray[np.int64]:
        """What an arithmetic makes of it."""
        codes: NDArray[np.int64] = arithmetic.compute(self.operator, self.types, self.operands)
        return codes

    def explain(self, index: Index) -> tuple[str, ...]:
        """How the integer at an index comes about, line by line."""
        return explained(self.operator, self.types, self.operands, index)
