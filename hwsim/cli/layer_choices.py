"""What layers may choose from, as people write it: ``body.*=4,8`` or ``head=w8a8,w8a4``."""

import re
from argparse import ArgumentTypeError

from quant.common.errors import UserError
from quant.policy import LayerBits


def widths(text: str) -> tuple[int, ...]:
    """Widths such as ``2,4,8``.

    Raises:
        ArgumentTypeError: the text is no such list.
    """
    if not re.fullmatch(r"\d{1,2}(,\d{1,2})*", text, re.ASCII):
        raise ArgumentTypeError(f"expected widths such as 2,4,8, got '{text}'")
    return tuple(int(width) for width in text.split(","))


def layer_bits(text: str) -> LayerBits:
    """Bits such as ``w8a8``.

    Raises:
        ArgumentTypeError: the text is no such spelling, or a width is impossible.
    """
    try:
        return LayerBits.parse(text)
    except UserError as error:
        raise ArgumentTypeError(str(error)) from error


def allowed(text: str) -> tuple[str, tuple[LayerBits, ...]]:
    """A pattern and what its layers may have: widths in all pairs, or pairs of bits.

    Raises:
        ArgumentTypeError: the text is nothing of the kind.
    """
    pattern, equals, listed = text.partition("=")
    if not pattern or not equals or not listed:
        raise ArgumentTypeError(
            f"expected LAYER=BITS such as body.*=4,8 or head=w8a8, got '{text}'"
        )
    if listed.startswith("w"):
        return pattern, tuple(layer_bits(item) for item in listed.split(","))
    given = widths(listed)
    return pattern, tuple(layer_bits(f"w{w}a{a}") for w in given for a in given)
