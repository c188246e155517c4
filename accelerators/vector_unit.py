"""The vector unit: element-wise work on streams, one element a lane and cycle.

docs/datapaths/vector_unit.md derives the formula and states the semantics.
"""

from accelerators.actions import Recipe, requantize_recipe

LANE_BITS = 32
"""Width of a lane's registers and adder; operands are sign-extended to it."""

PIPELINE_STAGES = 4
"""Scale, round and shift, add, clamp: the stages an element passes, one a cycle."""

ADD = Recipe(adds=(LANE_BITS,))
"""Energy of adding two elements that have one scale."""

REQUANTIZE = requantize_recipe(LANE_BITS)
"""Energy of bringing one element to another scale."""


def elementwise_cycles(lanes: int, elements: int) -> int:
    """Cycles from the first operand in to the last result out.

    Args:
        lanes: elements the unit takes a cycle.
        elements: elements of the result, at least 1.

    Returns:
        ``ceil(elements / lanes)`` issue cycles and the rest of the pipeline behind the last one.
    """
    return -(-elements // lanes) + PIPELINE_STAGES - 1
