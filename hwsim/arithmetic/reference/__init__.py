"""What each integer operator computes: slow, obvious, and the definition the kernels must meet.

Feature maps are [height, width, channels] and hold integer values. Every function takes arrays of
any integer type and returns int64; the operators' pages in ``docs/operators`` state the same.
"""

from hwsim.arithmetic.reference.accumulation import accumulate
from hwsim.arithmetic.reference.activation import lookup_table, parametric_relu
from hwsim.arithmetic.reference.combination import add, add_fused, add_rounded, multiply
from hwsim.arithmetic.reference.convolution import convolve, pad, replicate, spread, tap_offsets
from hwsim.arithmetic.reference.normalization import (
    encode,
    normalization,
    scaled_operands,
    summary,
)
from hwsim.arithmetic.reference.rearrangement import concatenate, nearest_resize, pixel_shuffle
from hwsim.arithmetic.reference.requantization import requantize
from hwsim.arithmetic.reference.resampling import bilinear, statistics, window_sums

__all__ = [
    "accumulate",
    "add",
    "add_fused",
    "add_rounded",
    "bilinear",
    "concatenate",
    "convolve",
    "encode",
    "lookup_table",
    "multiply",
    "nearest_resize",
    "normalization",
    "pad",
    "parametric_relu",
    "pixel_shuffle",
    "replicate",
    "requantize",
    "scaled_operands",
    "spread",
    "statistics",
    "summary",
    "tap_offsets",
    "window_sums",
]
