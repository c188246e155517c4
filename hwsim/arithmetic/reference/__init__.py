"""What each integer operator computes: slow, obvious, and the definition the kernels must meet.

Feature maps are [height, width, channels] and hold integer values. Every function takes arrays of
any integer type and returns int64; the operators' pages in ``docs/operators`` state the same.
"""

from hwsim.arithmetic.reference.accumulation import accumulate
from hwsim.arithmetic.reference.combination import add, add_fused, add_rounded
from hwsim.arithmetic.reference.convolution import convolve, pad
from hwsim.arithmetic.reference.rearrangement import pixel_shuffle
from hwsim.arithmetic.reference.requantization import requantize

__all__ = [
    "accumulate",
    "add",
    "add_fused",
    "add_rounded",
    "convolve",
    "pad",
    "pixel_shuffle",
    "requantize",
]
