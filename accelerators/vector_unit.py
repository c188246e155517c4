"""The vector unit: element-wise work on streams, one element a lane and cycle.

docs/datapaths/vector_unit.md derives the formulas and states the semantics.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from accelerators.actions import Recipe, requantize_recipe

LANE_BITS = 32
"""Width of a lane's registers and adder; operands are sign-extended to it."""

ACCUMULATOR_BITS = 40
"""Width of the sums of a statistic, which are kept in SRAM between tiles."""

SUMMARY_ACCUMULATORS = 3
"""Of a lane that makes a ``summary``: sum, minimum and maximum."""

PIPELINE_STAGES = 4
"""Scale, round and shift, add, clamp: the stages an element passes, one a cycle."""

ADD = Recipe(adds=(LANE_BITS,))
"""Energy of adding two elements that have one scale."""

MULTIPLY = Recipe(multiplies=((LANE_BITS, LANE_BITS),))
"""Energy of the product of two elements."""

ACCUMULATE = Recipe(adds=(ACCUMULATOR_BITS,))
"""Energy of adding an element to a sum, or of comparing it with an extreme."""

REQUANTIZE = requantize_recipe(LANE_BITS)
"""Energy of bringing one element to another scale."""

DIVIDE_STEP = Recipe(adds=(ACCUMULATOR_BITS,))
"""Energy of one bit of a quotient: a subtraction, as in a divider that restores."""

DIVIDE_STEPS = 24
"""Steps of a normalization for each of its three numbers a channel: 40 bits of a mean and 32 of a
reciprocal, one a pass. The widths are those of the dividends; one bit a cycle is this project's
choice."""

NORMALIZE = Recipe(multiplies=((17, 17),), adds=(17,))
"""Energy of a value less its mean, times a reciprocal; both have 16 bits and a sign."""

COMPARE = Recipe(adds=(12,))
"""Energy of comparing a normalized value with a threshold."""


@dataclass(frozen=True, slots=True)
class VectorWork:
    """What one element of an operator takes.

    Attributes:
        passes: how often it goes through the pipeline, each time with up to two operands.
        actions: how often it does each action of its component.
        lookups: words it reads from a table in SRAM.
        component: whose actions they are; what only run-time normalization needs is counted apart.
    """

    passes: int = 1
    actions: Mapping[str, int] = field(default_factory=dict)
    lookups: int = 0
    component: str = "vector_unit"


WORK: Mapping[str, VectorWork] = {
    "add": VectorWork(actions={"requantize": 2, "add": 1}),
    "requantize": VectorWork(actions={"requantize": 1}),
    "multiply": VectorWork(passes=2, actions={"add": 2, "multiply": 1, "requantize": 1}),
    "prelu": VectorWork(passes=2, actions={"add": 1, "multiply": 1, "requantize": 1}),
    "lookup_table": VectorWork(actions={"add": 1}, lookups=1),
    "concatenate": VectorWork(),
    "bilinear_resize": VectorWork(passes=3, actions={"multiply": 4, "add": 3, "requantize": 1}),
    "statistics": VectorWork(actions={"accumulate": 1}),
    "summary": VectorWork(actions={"accumulate": SUMMARY_ACCUMULATORS}, component="statistics"),
    "normalization": VectorWork(
        passes=DIVIDE_STEPS, actions={"divide_step": DIVIDE_STEPS}, component="statistics"
    ),
}
"""The operators the unit computes, by kind, and the statistic ``summary``, for which lanes have
`SUMMARY_ACCUMULATORS`. An element is one of the result, of a statistic one of the operand."""


def encoder_work(bits: int) -> VectorWork:
    """What an element of an encoder's result takes: its normalization, and a binary search.

    Thresholds of a channel are read into registers once a tile, which the lanes share; they work
    on pixels of one channel at a time.

    Args:
        bits: of a code.
    """
    return VectorWork(1 + bits, {"normalize": 1, "compare": bits}, component="encoder")


def elementwise_cycles(lanes: int, elements: int, passes: int = 1) -> int:
    """Cycles from the first operand in to the last result out.

    Args:
        lanes: elements the unit takes a cycle.
        elements: elements of the result, at least 1.
        passes: times every element goes through the pipeline.

    Returns:
        ``passes · ceil(elements / lanes)`` issue cycles and the rest of the pipeline behind the
        last one.
    """
    return passes * -(-elements // lanes) + PIPELINE_STAGES - 1


def work_cycles(work: VectorWork, lanes: int, banks: int, elements: int) -> int:
    """Cycles an operator's elements hold the unit.

    Args:
        work: what an element takes.
        lanes: elements the unit takes a cycle.
        banks: of the SRAM; each serves one lookup a cycle.
        elements: at least 1.
    """
    return elementwise_cycles(min(lanes, banks) if work.lookups else lanes, elements, work.passes)
