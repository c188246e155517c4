"""What an image became, beside what it could and should have become."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hwsim.report.pictures import Panel
from hwsim.report.result import BitExact, Result
from hwsim.simulation import Comparison
from quant.imaging import luma_psnr_db, luma_ssim

Pixels = NDArray[np.uint8]

_SSIM_WINDOW_PIXELS = 11


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """Enlarged pictures of one size, uint8 [height, width, 3], and their figures.

    Attributes:
        bicubic: the image enlarged without a network.
        output: what the machine made of it.
        floating: what the float network makes of it; None without one.
        original: what the image was reduced from; None when unknown.
        border: pixels left out on each side when pictures are judged.
    """

    bicubic: Pixels
    output: Pixels
    floating: Pixels | None
    original: Pixels | None
    border: int

    def psnr_db(self, image: Pixels | None) -> float | None:
        """Luma PSNR of one of the pictures, in dB; None without it or without an original."""
        if self.original is None or image is None:
            return None
        return luma_psnr_db(self.original, image, self.border)

    def ssim(self) -> float | None:
        """Luma SSIM of the output; None without an original or where no window of it fits."""
        inside = min(self.output.shape[:2]) - 2 * self.border
        if self.original is None or inside < _SSIM_WINDOW_PIXELS:
            return None
        return luma_ssim(self.original, self.output, self.border)

    def panels(self, result: Result) -> list[Panel]:
        """The pictures there are, from the simplest to the original, with name and PSNR."""
        candidates = (
            ("bicubic", self.bicubic, result.psnr_bicubic_db),
            (f"float {result.network}", self.floating, result.psnr_float_db),
            (_integer_title(result), self.output, result.psnr_db),
            ("original", self.original, None),
        )
        return [
            Panel(title, image, "" if psnr_db is None else f"{psnr_db:.2f} dB")
            for title, image, psnr_db in candidates
            if image is not None
        ]

    def place_of_output(self) -> int:
        """Which of the panels is what the machine made."""
        return 1 if self.floating is None else 2


def judged(result: Result, comparison: Comparison | None, judgement: Judgement) -> Result:
    """A result with what was found out about its pixels.

    Args:
        result: of the run.
        comparison: of its integers with those computed layer by layer; None where there is none.
        judgement: of its picture.
    """
    bit_exact = None
    if comparison is not None:
        bit_exact = BitExact(
            reference=comparison.reference,
            values=comparison.values,
            mismatches=comparison.mismatches,
        )
    return replace(
        result,
        bit_exact=bit_exact,
        psnr_db=judgement.psnr_db(judgement.output),
        psnr_float_db=judgement.psnr_db(judgement.floating),
        psnr_bicubic_db=judgement.psnr_db(judgement.bicubic),
        ssim=judgement.ssim(),
    )


def _integer_title(result: Result) -> str:
    return " ".join(filter(None, ("integer", result.method, result.policy)))
