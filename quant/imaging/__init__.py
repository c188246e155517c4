"""Pictures as uint8 arrays: files, resizing, quality figures, samples; without torch."""

from quant.imaging.files import read_image, write_png
from quant.imaging.metrics import luma_psnr_db, luma_ssim
from quant.imaging.resize import bicubic_downscale, bicubic_upscale, crop_to_multiple
from quant.imaging.samples import (
    DEFAULT_SAMPLE,
    SAMPLE_NAMES,
    calibration_photographs,
    photograph_parts,
    sample_photograph,
)

__all__ = [
    "DEFAULT_SAMPLE",
    "SAMPLE_NAMES",
    "bicubic_downscale",
    "bicubic_upscale",
    "calibration_photographs",
    "crop_to_multiple",
    "luma_psnr_db",
    "luma_ssim",
    "photograph_parts",
    "read_image",
    "sample_photograph",
    "write_png",
]
