"""Convolution of feature maps as they travel between operators: narrow, unpadded, perhaps shuffled.

What `hwsim.arithmetic.convolution` computes, with less memory to read and write: codes in the
narrowest type that holds them, padding that is read and not stored, and a pixel shuffle that only
changes where codes are stored.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from hwsim.arithmetic._convolution_layouts import PaddedRows
from hwsim.arithmetic._feature_maps import narrowest_type
from hwsim.arithmetic._jit import CODE_TYPES, Codes, StoredCodes
from hwsim.arithmetic.convolution import PackedConvolution, convolve_rows, padded_output_size
from hwsim.arithmetic.geometry import NO_PADDING, Padding


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What a convolution reads outside the image, and what becomes of its output.

    Attributes:
        padding: around the image.
        pad_code: int32 [I] or [1], of the padding.
        shuffle: the factor of a pixel shuffle behind the convolution, in DCR order
            (``docs/operators/pixel_shuffle.md``).
    """

    padding: Padding = NO_PADDING
    pad_code: Codes = field(default_factory=lambda: np.zeros(1, np.int32))
    shuffle: int = 1


def convolve_map(
    packed: PackedConvolution,
    ifm: StoredCodes,
    surroundings: Surroundings,
    threads: int | None = None,
) -> StoredCodes:
    """Convolve an image, requantize the accumulators, and perhaps move channels into space.

    Args:
        packed: the constants.
        ifm: [H, W, I] of a type of `CODE_TYPES`, codes in the packed input_low … input_high.
        surroundings: padding and pixel shuffle.
        threads: at most this many; by default ``NUMBA_NUM_THREADS`` or all processors.

    Returns:
        [HO · shuffle, WO · shuffle, O / shuffle²] of the narrowest type that holds the codes'
        low … high; (HO, WO) are those of `Geometry.output_size` for the padded image.

    Raises:
        ValueError: the image has another type or depth, is smaller than the window, or holds a
            code out of range; or the channels do not divide.
    """
    padding, shuffle = surroundings.padding, surroundings.shuffle
    outputs, inputs = packed.weight_shape[0], packed.weight_shape[3] * packed.geometry.groups
    if ifm.dtype not in CODE_TYPES or ifm.ndim != 3 or ifm.shape[2] != inputs:
        raise ValueError(
            f"convolution input: expected integers of up to 32 bits [height, width, {inputs}], "
            f"got {ifm.dtype} {list(ifm.shape)}"
        )
    if shuffle < 1 or outputs % shuffle**2:
        raise ValueError(
            f"convolution output: {outputs} channels are no multiple of {shuffle}², the pixels "
            "each one spreads to"
        )
    height, width = padded_output_size(packed, padding.around(ifm.shape[:2]))
    kind = narrowest_type(packed.scaling.low, packed.scaling.high)
    ofm = np.empty((height * shuffle, width, outputs // shuffle), kind)
    pads = _pad_codes(packed, surroundings, inputs)
    image = PaddedRows(np.ascontiguousarray(ifm), padding, pads)
    convolve_rows(packed, image, shuffle, ofm, threads)
    return ofm.reshape(height * shuffle, width * shuffle, outputs // shuffle**2)


@lru_cache(maxsize=256)  # a machine's tiles have few surroundings
def _pad_codes(packed: PackedConvolution, surroundings: Surroundings, inputs: int) -> Codes:
    """The pad code of each input channel."""
    codes, (low, high) = surroundings.pad_code, packed.bounds.input
    is_read = surroundings.padding != NO_PADDING
    if is_read and not (low <= codes.min() and codes.max() <= high):
        raise ValueError(
            f"convolution padding: codes {codes.min()} … {codes.max()} leave the {low} … {high} "
            "it was packed for"
        )
    return np.ascontiguousarray(np.broadcast_to(codes, inputs), np.int32)
