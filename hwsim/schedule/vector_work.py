"""What an element of an operator takes of the vector unit."""

from accelerators.vector_unit import WORK, VectorWork, encoder_work
from quant.graph import Encode, IntegerType, Operator, Statistics


def vector_work(operator: Operator, result: IntegerType) -> VectorWork:
    """The work of an element, given the type of the result.

    Raises:
        KeyError: the vector unit has no such operator.
    """
    match operator:
        case Encode():
            return encoder_work(result.bits)
        case Statistics(statistic="summary"):
            return WORK["summary"]
        case _:
            return WORK[operator.kind]
