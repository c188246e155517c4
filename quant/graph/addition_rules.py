"""What an addition demands of its constants and of its operands' types."""

from quant.common.requantization_modes import FLOAT32_MAGNITUDE, LARGEST_RATIO, ONE_FLOAT32
from quant.graph.graph import Node
from quant.graph.operators import (
    Add,
    FusedTerms,
    TermRounding,
)
from quant.graph.requantization_rules import (
    MAXIMUM_SHIFT,
    MULTIPLIER_BITS,
    broken,
    verify_requantization,
)
from quant.graph.rule_parts import Operands, verify_same_channels

TERM_SHIFT = 31
"""Of an operand that an addition rounds, at least: its multiplier is a fraction of 1."""


def verify_add(node: Node, operands: Operands) -> None:
    """Raises: GraphError: constants or operands of an addition do not fit each other."""
    add = node.operator
    assert isinstance(add, Add)
    for operand in operands:
        verify_same_channels(node, operand)
    if isinstance(add.term_rounding, FusedTerms):
        _verify_fused(node, add, add.term_rounding)
        return
    for multiplier in add.multipliers:
        if multiplier < 0 or multiplier.bit_length() > MULTIPLIER_BITS:
            raise broken(node, f"multipliers of 0 to {MULTIPLIER_BITS} bits", str(multiplier))
    if add.term_rounding is None:
        largest = abs(add.bias) + sum(
            multiplier * operand.integer.magnitude
            for multiplier, operand in zip(add.multipliers, operands, strict=True)
        )
    else:
        largest = abs(add.bias) + _largest_rounded_terms(
            node, add.multipliers, add.term_rounding, operands
        )
    verify_requantization(node, add.requantization, largest)


def _verify_fused(node: Node, add: Add, terms: FusedTerms) -> None:
    """A sum formed in float32 is only rounded to a code; ratios and addend keep it finite."""
    largest = max(*add.multipliers, terms.addend & FLOAT32_MAGNITUDE)
    if min(add.multipliers) < 0 or largest > LARGEST_RATIO or not -(2**31) <= terms.addend < 2**31:
        raise broken(
            node,
            "float32 ratios of 0 to 2^32 and an addend of at most that",
            f"the bit patterns {add.multipliers[0]}, {add.multipliers[1]} and {terms.addend}",
        )
    if add.bias:
        raise broken(node, "no bias beside a float32 addend", str(add.bias))
    scaling = add.requantization
    verify_requantization(node, scaling, largest=0)
    given = (scaling.rounding, scaling.multiplier.tolist(), scaling.zero_point)
    if given != ("onnxruntime", [ONE_FLOAT32], 0):
        raise broken(
            node,
            f"the mode onnxruntime with the bit pattern {ONE_FLOAT32} and zero point 0 behind a "
            "float32 sum",
            f"{given[0]}, {given[1]} and {given[2]}",
        )


def _largest_rounded_terms(
    node: Node, multipliers: tuple[int, int], terms: TermRounding, operands: Operands
) -> int:
    """Bound of the sum of both rounded operands; two roundings add less than 2 to each."""
    for shift in terms.shifts:
        if not TERM_SHIFT <= shift <= MAXIMUM_SHIFT:
            raise broken(
                node, f"shifts of operands from {TERM_SHIFT} to {MAXIMUM_SHIFT}", str(shift)
            )
    if terms.left_shift < 0:
        raise broken(node, "a left shift of at least 0", str(terms.left_shift))
    largest = [
        (operand.integer.magnitude + abs(zero)) << min(terms.left_shift, 32)
        for operand, zero in zip(operands, terms.zero_points, strict=True)
    ]
    if max(largest) >= 2**31:
        raise broken(node, "widened operands of 32 bits", f"up to {max(largest)}")
    return sum(
        (widened * multiplier >> shift) + 2
        for widened, multiplier, shift in zip(largest, multipliers, terms.shifts, strict=True)
    )
