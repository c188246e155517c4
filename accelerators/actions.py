"""What a machine does that costs energy: the vocabulary between the simulator and the tables."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of event the simulator counts.

    Attributes:
        component: a part of the machine, e.g. ``"sram"``.
        name: what that part does, e.g. ``"read_word"``; `ACTION_UNITS` lists the pairs.
        weight_bits: width of the weights, for ``mac`` only.
        activation_bits: width of the activations, for ``mac`` only.
    """

    component: str
    name: str
    weight_bits: int = 0
    activation_bits: int = 0


ACTION_UNITS: dict[tuple[str, str], str] = {
    ("mac_array", "mac"): "multiply-accumulate of operands of the stated widths",
    ("mac_array", "leakage"): "multiplier and cycle",
    ("accumulators", "read"): "partial sum",
    ("accumulators", "write"): "partial sum",
    ("accumulators", "leakage"): "memory of a column and cycle",
    ("mac_array", "clock"): "processing element and cycle",
    ("requantizer", "output"): "output value",
    ("vector_unit", "add"): "element",
    ("vector_unit", "requantize"): "element",
    ("vector_unit", "multiply"): "product of two elements",
    ("vector_unit", "accumulate"): "element added to a sum, or compared with an extreme",
    ("statistics", "accumulate"): "element added to a sum, or compared with an extreme",
    ("statistics", "divide_step"): "bit of a quotient",
    ("encoder", "normalize"): "element",
    ("encoder", "compare"): "element compared with a threshold",
    ("table_decode", "lookup"): "code that the array is fed",
    ("channel_scale", "partial_sum"): "channel's sum of products times its reach, added up",
    ("channel_scale", "table_entry"): "table entry times its channel's reach",
    ("channel_scale", "weight"): "weight times its channel's reach",
    ("channel_scale", "wide_sum"): "pass of an array whose sums are wider than its accumulators",
    ("border_correction", "mac"): "weight times its channel's mean, added up",
    ("border_correction", "add"): "tap's share of a border class",
    ("sram", "read_word"): "word",
    ("sram", "write_word"): "word",
    ("sram", "leakage"): "cycle, for the whole memory",
    ("dram", "read_bit"): "bit",
    ("dram", "write_bit"): "bit",
    ("dram", "activate"): "page opened",
    ("dram", "standby"): "cycle",
}
"""Every (component, action) there is a price for, and what one count of it is."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The integer operations one action performs, priced from an energy table's primitives.

    Attributes:
        multiplies: operand widths of each multiplication, in bits.
        adds: width of each addition, in bits; a comparison is a subtraction, and so an addition.
    """

    multiplies: tuple[tuple[int, int], ...] = ()
    adds: tuple[int, ...] = ()


MULTIPLIER_BITS = 32
"""Width of a fixed-point scale's integer mantissa, as in TensorFlow Lite and TOSA RESCALE."""


def requantize_recipe(value_bits: int) -> Recipe:
    """Rescale one integer to a narrow code: offset, multiply, round, shift, zero point, clamp.

    The shifter has no published figure at these widths and is charged as one addition of the
    product's width. That choice, and counting every stage at its full width, is this project's.

    Args:
        value_bits: width of the integer that is rescaled.
    """
    product_bits = value_bits + MULTIPLIER_BITS
    return Recipe(
        multiplies=((value_bits, MULTIPLIER_BITS),),
        adds=(
            value_bits,  # bias, or the operand's own zero point
            product_bits,  # rounding constant
            product_bits,  # shifter
            value_bits,  # zero point of the result
            value_bits,  # comparison with the lowest code
            value_bits,  # comparison with the highest code
        ),
    )
