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
