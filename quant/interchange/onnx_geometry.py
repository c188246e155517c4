"""Strides, paddings and factors of ONNX's operators, from their attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from numpy.typing import NDArray

from quant.common.errors import UnsupportedError
from quant.graph import Padding

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a window walks over an image.

    Attributes:
        kernel: taps down and across.
        stride: rows and columns between neighbouring windows.
        dilation: rows and columns between neighbouring taps.
        padding: rows and columns around the image.
        groups: of channels.
    """

    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: Padding
    groups: int


def geometry(attributes: Mapping[str, Any], kernel: Pair | None = None) -> Geometry:
    """What a convolution or pool says of its window.

    Args:
        attributes: of the node.
        kernel: of its weights; None: what the attributes say.

    Raises:
        UnsupportedError: it is no window of two axes, or its padding depends on the image.
    """
    declared = pair(attributes, "kernel_shape", kernel)
    if kernel is not None and declared != kernel:
        raise UnsupportedError(f"a kernel_shape {declared} for weights of {kernel}")
    stride, dilation = pair(attributes, "strides", (1, 1)), pair(attributes, "dilations", (1, 1))
    window = tuple((taps - 1) * step + 1 for taps, step in zip(declared, dilation, strict=True))
    padding = _padding(attributes, (window[0], window[1]), stride)
    groups = attributes.get("group", 1)
    if not isinstance(groups, int) or groups < 1:
        raise UnsupportedError(f"{groups} groups")
    return Geometry(declared, stride, dilation, padding, groups)


def pair(attributes: Mapping[str, Any], name: str, missing: Pair | None) -> Pair:
    """Two positive numbers, down and across.

    Raises:
        UnsupportedError: there are others, or none although they must be given.
    """
    match attributes.get(name, missing):
        case [int() as down, int() as across] if min(down, across) > 0:
            return down, across
        case other:
            raise UnsupportedError(f"{name} {other}")


def _padding(attributes: Mapping[str, Any], window: Pair, stride: Pair) -> Padding:
    kind = attributes.get("auto_pad", "NOTSET")
    if kind == "VALID":
        return Padding()
    if kind in ("SAME_UPPER", "SAME_LOWER"):
        if stride != (1, 1):
            raise UnsupportedError(f"auto_pad {kind} with a stride, which depends on the image")
        less, more = [(side - 1) // 2 for side in window], [side // 2 for side in window]
        before, behind = (less, more) if kind == "SAME_UPPER" else (more, less)
        return Padding(before[0], behind[0], before[1], behind[1])
    match attributes.get("pads", [0, 0, 0, 0]):
        case [int(), int(), int(), int()] as sides if min(sides) >= 0:
            top, left, bottom, right = sides
            return Padding(top, bottom, left, right)
        case other:
            raise UnsupportedError(f"pads {other}")


def spread_padding(attributes: Mapping[str, Any], found: Geometry) -> Padding:
    """Around the spread image of a ConvTranspose, its kernel turned, for `found`'s window.

    Raises:
        UnsupportedError: more is cut off than the kernel adds, or the size is given.
    """
    if "output_shape" in attributes:
        raise UnsupportedError("a given output_shape")
    if found.dilation != (1, 1) or attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise UnsupportedError("dilations or auto_pad of a transposed convolution")
    match attributes.get("output_padding", [0, 0]):
        case [int() as below, int() as right] if min(below, right) >= 0:
            pass
        case other:
            raise UnsupportedError(f"output_padding {other}")
    (rows, columns), cut = found.kernel, found.padding
    sides = (
        rows - 1 - cut.top,
        rows - 1 - cut.bottom + below,
        columns - 1 - cut.left,
        columns - 1 - cut.right + right,
    )
    if min(sides) < 0:
        raise UnsupportedError("pads beyond the kernel of a transposed convolution")
    return Padding(*sides)


def zeros_around(attributes: Mapping[str, Any], constants: list[NDArray[Any] | None]) -> Padding:
    """What a Pad puts around an image of four axes.

    Args:
        attributes: of the node.
        constants: its inputs behind the image: pads, value, axes; None where left out.

    Raises:
        UnsupportedError: it is not zeros around height and width.
    """
    pads, value, axes = [*constants, None, None, None][:3]
    if attributes.get("mode", "constant") != "constant" or (value is not None and value.any()):
        raise UnsupportedError("a padding other than with zeros")
    places = [0, 1, 2, 3] if axes is None else [int(axis) % 4 for axis in axes.reshape(-1)]
    if pads is None or pads.size != 2 * len(places):
        raise UnsupportedError("a padding whose sides are no constants")
    sides = dict.fromkeys([(axis, end) for axis in range(4) for end in (0, 1)], 0)
    for position, axis in enumerate(places):
        for end in (0, 1):
            sides[axis, end] = int(pads.reshape(-1)[position + end * len(places)])
    if any(sides[axis, end] for axis in (0, 1) for end in (0, 1)) or min(sides.values()) < 0:
        raise UnsupportedError("a padding of other axes than height and width")
    return Padding(sides[2, 0], sides[2, 1], sides[3, 0], sides[3, 1])


_NEAREST = {"asymmetric": ("floor",), "half_pixel": ("round_prefer_floor", "round_prefer_ceil")}
"""Settings under which a nearest resize by a whole factor repeats pixels."""


def limits(bounds: Sequence[NDArray[Any] | None]) -> tuple[float, float]:
    """The range of a Clip, whose limits may be left out."""
    if any(bound is not None and bound.size != 1 for bound in bounds):
        raise UnsupportedError("a clamp by other than one number")
    low, high = (
        default if bound is None else float(bound.item())
        for bound, default in zip(bounds, (-inf, inf), strict=True)
    )
    if not low <= high:
        raise UnsupportedError(f"a clamp between {low:g} and {high:g}")
    return low, high


def resize_factor(attributes: Mapping[str, Any], scales: NDArray[Any] | None) -> tuple[str, int]:
    """The mode and the whole factor of a Resize or Upsample, for channels first.

    Args:
        attributes: of the node.
        scales: of the four axes; None where sizes are given instead.

    Raises:
        UnsupportedError: it is no such resize.
    """
    mode = attributes.get("mode", "nearest")
    if scales is None or scales.size != 4:
        raise UnsupportedError("a resize to a given size instead of by a factor")
    factors = [float(scale) for scale in scales.reshape(-1)]
    whole = factors[2]
    if factors[:2] != [1, 1] or factors[2] != factors[3] or whole != int(whole) or whole < 1:
        raise UnsupportedError(f"a resize by {factors}, no whole factor for height and width")
    place = attributes.get("coordinate_transformation_mode", "half_pixel")
    nearest = attributes.get("nearest_mode", "round_prefer_floor")
    if place == "pytorch_half_pixel":
        place = "half_pixel"  # another one for images of a single pixel only
    fits = nearest in _NEAREST.get(place, ()) if mode == "nearest" else place == "half_pixel"
    if mode not in ("nearest", "linear") or not fits:
        raise UnsupportedError(f"a {mode} resize with {place}, {nearest}")
    if attributes.get("antialias", 0) or attributes.get("axes") is not None:
        raise UnsupportedError("a resize with antialias or of given axes")
    return str(mode), int(whole)
