"""TensorFlow Lite's two kinds of padding as rows and columns."""

from quant.graph import Padding, Size

SAME, VALID = "SAME", "VALID"


def padding(kind: str, size: Size, window: tuple[int, int], stride: tuple[int, int]) -> Padding:
    """Rows and columns around an image, as ``ComputePaddingHeightWidth`` has them (``padding.h``).

    Args:
        kind: `SAME` gives one output for each ``stride`` pixels, `VALID` adds nothing.
        size: of the image.
        window: rows and columns that an output reads, gaps between taps included.
        stride: rows and columns between neighbouring windows.
    """
    if kind == VALID:
        return Padding()
    top, bottom = _sides(size.height, window[0], stride[0])
    left, right = _sides(size.width, window[1], stride[1])
    return Padding(top, bottom, left, right)


def _sides(pixels: int, window: int, stride: int) -> tuple[int, int]:
    outputs = -(-pixels // stride)
    total = max((outputs - 1) * stride + window - pixels, 0)
    return total // 2, total - total // 2


def spread_padding(kind: str, kernel: tuple[int, int], stride: tuple[int, int]) -> Padding:
    """Rows and columns around a spread image for a transposed convolution, its kernel turned.

    SAME makes ``stride`` outputs of each pixel, VALID leaves nothing out. TensorFlow Lite cuts off
    (kernel − stride) // 2 rows of the whole result above, if that is positive.

    Args:
        kind: `SAME` or `VALID`.
        kernel: height and width.
        stride: output pixels per input pixel, down and across.
    """
    (top, bottom), (left, right) = (
        _spread_sides(kind, taps, step) for taps, step in zip(kernel, stride, strict=True)
    )
    return Padding(top, bottom, left, right)


def _spread_sides(kind: str, taps: int, step: int) -> tuple[int, int]:
    if kind == VALID:
        return taps - 1, taps - 1
    before = taps - 1 - max(taps - step, 0) // 2
    return before, taps + step - 2 - before
