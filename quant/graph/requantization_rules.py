"""What the constants of a requantization keep to, and how wide the sums may be that enter it."""

import numpy as np

from quant.common.errors import suggestion
from quant.common.requantization_modes import (
    LARGEST_FLOAT32,
    LARGEST_SHIFT,
    MODES,
    RequantizationMode,
)
from quant.graph.graph import GraphError, Node
from quant.graph.operators import Integers, Requantization

PRODUCT_BITS = 63
"""Signed bits of a sum times bits of its multiplier, so that the product and its rounding term
together fit a signed 64-bit integer."""
MAXIMUM_SHIFT = LARGEST_SHIFT
MULTIPLIER_BITS = 31
"""Width of a multiplier: a 32-bit signed register, as in TFLite, Arm CMSIS-NN and TOSA RESCALE."""
ZERO_POINT_BITS = 32
_FIRST_PRODUCT_SHIFT = 31
"""Bits that the first of two roundings takes away, at least."""


def broken(node: Node, wanted: str, found: str) -> GraphError:
    """The error of a node that breaks a rule."""
    return GraphError(
        f"node '{node.name}' ({node.operator.kind}): expected {wanted}, found {found}"
    )


def verify_vector(node: Node, what: str, values: Integers, channels: int) -> None:
    """Integers of one value, or one for each channel.

    Raises:
        GraphError: another shape or dtype.
    """
    if values.shape not in ((1,), (channels,)):
        raise broken(node, f"1 or {channels} {what}", str(values.shape))
    verify_dtype(node, what, values)


def verify_dtype(node: Node, what: str, values: Integers) -> None:
    """Integers are stored as int64.

    Raises:
        GraphError: another dtype.
    """
    if values.dtype != np.int64:
        raise broken(node, f"{what} of dtype int64", str(values.dtype))


def verify_requantization(node: Node, requantization: Requantization, largest: int) -> None:
    """A requantization to a node's output, of sums of up to a magnitude.

    Raises:
        GraphError: a constant is out of its mode's range, a product may be too wide, or the clamp
            leaves the output's type.
    """
    multiplier, shift = requantization.multiplier, requantization.shift
    bits = largest.bit_length() + 1
    mode = _mode(node, requantization)
    for what, values in (("multipliers", multiplier), ("shifts", shift)):
        verify_vector(node, what, values, node.output.channels)
    smallest, greatest = int(multiplier.min()), int(multiplier.max())
    least, most = max(0, mode.multipliers[0]), mode.multipliers[1]
    if smallest < least or greatest > most:
        raise broken(
            node, f"multipliers from {least} to {most} ({mode.name})", f"{smallest} to {greatest}"
        )
    if shift.min() < mode.shifts[0] or shift.max() > mode.shifts[1]:
        raise broken(
            node,
            f"shifts from {mode.shifts[0]} to {mode.shifts[1]} ({mode.name})",
            f"{shift.min()} to {shift.max()}",
        )
    if bits + mode.product_bits(greatest) > PRODUCT_BITS:
        raise broken(
            node,
            f"a product of at most {PRODUCT_BITS} bits",
            f"a {bits}-bit sum times a {greatest.bit_length()}-bit multiplier",
        )
    if requantization.zero_point_first and not mode.is_float:
        _verify_zero_point_first(
            node, requantization, (1 << PRODUCT_BITS - 1) - (largest * greatest)
        )
    if bits > mode.sum_bits:
        raise broken(node, f"sums of at most {mode.sum_bits} bits ({mode.name})", f"{bits} bits")
    _verify_clamp(node, requantization)


def _verify_zero_point_first(node: Node, requantization: Requantization, room: int) -> None:
    """A zero point that is added to products leaves room for them."""
    widest = max(_FIRST_PRODUCT_SHIFT, int(requantization.shift.max()))
    if abs(requantization.zero_point) << widest > room:
        raise broken(
            node,
            f"a zero point times 2^{widest} and a product of at most {PRODUCT_BITS} bits together",
            f"the zero point {requantization.zero_point}, added first",
        )


def _mode(node: Node, requantization: Requantization) -> RequantizationMode:
    """The named mode, given a destination scale exactly if it takes one."""
    name, scale = requantization.rounding, requantization.destination_scale
    if name not in MODES:
        raise broken(
            node, "the name of a requantization mode", f"'{name}'; {suggestion(name, MODES)}"
        )
    if MODES[name].has_destination_scale != (0 < scale <= LARGEST_FLOAT32):
        wanted = "a positive float32" if MODES[name].has_destination_scale else "no"
        raise broken(node, f"{wanted} destination scale ({name})", f"the bit pattern {scale}")
    return MODES[name]


def _verify_clamp(node: Node, requantization: Requantization) -> None:
    if requantization.zero_point.bit_length() >= ZERO_POINT_BITS:
        raise broken(
            node, f"a zero point of {ZERO_POINT_BITS} signed bits", str(requantization.zero_point)
        )
    integer = node.output.integer
    if not integer.is_consecutive:
        raise broken(node, "signed or unsigned output codes", str(integer))
    if not integer.low <= requantization.low <= requantization.high <= integer.high:
        raise broken(
            node,
            f"a clamp within {integer.low} to {integer.high}",
            f"{requantization.low} to {requantization.high}",
        )
