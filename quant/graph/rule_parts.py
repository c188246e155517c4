"""Checks that the rules of several operators share."""

from collections.abc import Sequence

from quant.graph.graph import Node
from quant.graph.operators import Integers
from quant.graph.requantization_rules import broken
from quant.graph.types import MAXIMUM_BITS, IntegerType, TensorType

BIAS_BITS = 40
"""Stored width of a bias: the 40-bit bias of a 10-byte parameter record, as in Arm Ethos-U."""


Operands = Sequence[TensorType]


def verify_biases(node: Node, bias: Integers) -> None:
    """Raises: GraphError: a bias does not fit the width it is stored in."""
    smallest, largest = int(bias.min()), int(bias.max())
    if max(-smallest - 1, largest).bit_length() >= BIAS_BITS:
        raise broken(node, f"biases of {BIAS_BITS} signed bits", f"{smallest} to {largest}")


def verify_positive(node: Node, what: str, values: tuple[int, ...]) -> None:
    """Raises: GraphError: a value is below 1."""
    for value in values:
        if value < 1:
            raise broken(node, f"{what} of at least 1", str(value))


def verify_narrow(node: Node, operand: TensorType) -> None:
    """Only a requantization reads the wide sums of statistics."""
    if operand.integer.bits > MAXIMUM_BITS:
        raise broken(node, f"codes of at most {MAXIMUM_BITS} bits", str(operand.integer))


def verify_same_channels(node: Node, operand: TensorType) -> None:
    """Raises: GraphError: an operand has other channels than the result, or is a wide sum."""
    verify_narrow(node, operand)
    if operand.channels != node.output.channels:
        raise broken(node, f"{node.output.channels} channels", str(operand.channels))


def verify_same_codes(node: Node, operand: TensorType) -> None:
    """Raises: GraphError: an operand has other codes than the result."""
    if operand.integer != node.output.integer:
        raise broken(node, f"{operand.integer} output codes", str(node.output.integer))


def verify_members(node: Node, what: str, values: Integers, integer: IntegerType) -> None:
    """Raises: GraphError: a value is none of a type's integers."""
    low, high = int(values.min()), int(values.max())
    if low < integer.low or high > integer.high:
        raise broken(
            node, f"{what} of {integer} ({integer.low} to {integer.high})", f"{low} to {high}"
        )
    if not integer.contains(values):
        raise broken(node, f"{what} of {integer}", "another integer among them")
