"""What moves codes and changes none: pixel shuffle, nearest resize, concatenation, borders."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.geometry import Padding

Integer = TypeVar("Integer", bound=np.integer)

_SHUFFLES: dict[str, tuple[Any, Any]] = {
    "dcr": (lambda factor, channels: (factor, factor, channels), (0, 2, 1, 3, 4)),
    "crd": (lambda factor, channels: (channels, factor, factor), (0, 3, 1, 4, 2)),
}
"""By order, what a pixel's channels count, and where rows, columns and channels are among those."""


def pixel_shuffle(ifm: NDArray[Integer], factor: int, order: str = "dcr") -> NDArray[Integer]:
    """Move channels into space (``docs/operators/pixel_shuffle.md``).

    Args:
        ifm: [H, W, factor² · C], any integer type.
        factor: how much larger the image becomes in each direction.
        order: of the input's channels, ``dcr`` or ``crd``.

    Returns:
        [H · factor, W · factor, C] of the same type.

    Raises:
        ValueError: the channels are no multiple of factor², or there is no such order.
    """
    height, width, depth = ifm.shape
    if factor < 1 or depth % factor**2:
        raise ValueError(
            f"pixel shuffle: {depth} channels are no multiple of {factor}², the pixels each one "
            "spreads to; choose a factor that divides them"
        )
    if order not in _SHUFFLES:
        raise ValueError(f"pixel shuffle: no order '{order}'; choose one of {', '.join(_SHUFFLES)}")
    channels = depth // factor**2
    counted, axes = _SHUFFLES[order]
    blocks = ifm.reshape(height, width, *counted(factor, channels))
    return blocks.transpose(axes).reshape(height * factor, width * factor, channels)


def nearest_resize(ifm: NDArray[Integer], factor: int) -> NDArray[Integer]:
    """Repeat every pixel (``docs/operators/nearest_resize.md``).

    Args:
        ifm: [H, W, C], any integer type.
        factor: how often, down and across.

    Returns:
        [H · factor, W · factor, C] of the same type.

    Raises:
        ValueError: the factor is not positive.
    """
    if factor < 1:
        raise ValueError(f"nearest resize: factor {factor} must be at least 1")
    height, width, channels = ifm.shape
    blocks = np.broadcast_to(ifm[:, None, :, None], (height, factor, width, factor, channels))
    return blocks.reshape(height * factor, width * factor, channels)


def concatenate(maps: Sequence[NDArray[Integer]]) -> NDArray[Integer]:
    """Put channels side by side (``docs/operators/concatenate.md``).

    Args:
        maps: each [H, W, C of its own], of one integer type.

    Returns:
        [H, W, sum of all C] of the same type.

    Raises:
        ValueError: the maps differ in height or width.
    """
    sizes = {codes.shape[:2] for codes in maps}
    if len(sizes) != 1:
        raise ValueError(f"concatenation: maps of {sorted(sizes)} pixels; expected one size")
    return np.concatenate(maps, axis=2)


def replicate_border(ifm: NDArray[Integer], padding: Padding) -> NDArray[Integer]:
    """Surround an image with its own outermost pixels (``docs/operators/convolution.md``).

    Args:
        ifm: [H, W, C], any integer type, at least one pixel.
        padding: rows and columns to add.

    Returns:
        [H + top + bottom, W + left + right, C] of the same type.
    """
    rows, columns = (padding.top, padding.bottom), (padding.left, padding.right)
    return np.pad(ifm, (rows, columns, (0, 0)), mode="edge")


def constant_border(
    ifm: NDArray[Integer], padding: Padding, pad_code: NDArray[np.integer[Any]]
) -> NDArray[np.int32]:
    """Surround an image with pad codes (``docs/operators/convolution.md``).

    Args:
        ifm: [H, W, C], integers of up to 32 bits, perhaps no pixel.
        padding: rows and columns to add.
        pad_code: [C] or [1], integers of up to 32 bits.

    Returns:
        int32 [H + top + bottom, W + left + right, C].
    """
    height, width, channels = ifm.shape
    padded = np.empty((*padding.around((height, width)), channels), np.int32)
    padded[:] = pad_code
    padded[padding.top :, padding.left :][:height, :width] = ifm
    return padded
