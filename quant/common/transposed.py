"""A transposed convolution as plain ones: which taps of its kernel meet pixels, output by output.

The image is spread: ``stride`` - 1 pad codes between neighbouring pixels. An output reads a window
of it, in which every stride-th tap meets a pixel and all others a pad code. Which taps they are
depends only on the output's place modulo the stride, its phase, so each phase is a convolution of
stride 1 over the image itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """The outputs phase, phase + stride, … along one axis.

    Attributes:
        taps: the taps of the kernel that meet pixels.
        first: the pixel the first of them meets for the phase's first output; negative ones lie
            before the image. The next tap meets the next pixel, as does the next output.
    """

    taps: range
    first: int


def phases(kernel: int, stride: int, before: int) -> tuple[Phase, ...]:
    """Every phase along one axis.

    Output y = q·stride + phase reads place y + tap - before of the spread image by a tap, which is
    pixel (y + tap - before) / stride if that is a whole number.

    Args:
        kernel: taps along the axis.
        stride: places from one pixel to the next.
        before: pad codes before the spread image.
    """
    found = []
    for phase in range(stride):
        first_tap = (before - phase) % stride
        found.append(
            Phase(range(first_tap, kernel, stride), (phase + first_tap - before) // stride)
        )
    return tuple(found)
