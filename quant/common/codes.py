"""How a stored b-bit code stands for an integer: the one vocabulary graphs and memories share."""

from enum import IntEnum


class CodeKind(IntEnum):
    """The ways a b-bit code stands for an integer.

    ``SIGNED`` is two's complement, −2^(b−1) … 2^(b−1)−1. ``UNSIGNED`` is 0 … 2^b−1. ``ODD`` is
    the mid-rise grid of odd integers −(2^b−1), …, −1, 1, …, 2^b−1, stored as the unsigned code
    (integer + 2^b − 1)/2; it has no zero. ``TABLE`` is any set of up to 2^b integers, stored as
    the position of the integer in the ascending list.
    """

    SIGNED = 0
    UNSIGNED = 1
    ODD = 2
    TABLE = 3
