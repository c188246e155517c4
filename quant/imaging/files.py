"""Image files to uint8 RGB arrays and back: many kinds of pixels outside, one kind inside."""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from quant.common.errors import UserError
from quant.common.files import atomic_output, read_bytes

MAXIMUM_PIXELS = 100_000_000
"""Largest picture read, in pixels: beyond it a small file could fill the memory when decoded."""

# A 16-bit PNG holds big-endian words, and Pillow keeps their high bytes. Unpacking the same words
# as little-endian keeps the low bytes, so that two passes give all sixteen bits.
_LOW_BYTE_UNPACKER = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}


def read_image(path: Path) -> NDArray[np.uint8]:
    """The picture in a file, as 8-bit RGB.

    Grey pictures get three equal channels; palettes are looked up; a transparency channel is
    dropped without blending (the colours below it stay as stored); 16-bit samples ``v`` (grey,
    or colour in PNG files) become ``(v + 128) // 257``, the nearest 8-bit value; 16-bit colour in
    other formats keeps its high byte. The EXIF orientation of a photograph is applied. Of a file
    with several frames the first is read.

    Args:
        path: a PNG, JPEG, BMP, TIFF, WebP, … file (whatever the installed Pillow reads).

    Returns:
        uint8 array, height x width x 3.

    Raises:
        UserError: the file is missing, is no image, is damaged, is larger than
            ``MAXIMUM_PIXELS`` or holds samples with no fixed range (floats, 32-bit integers).
    """
    content = read_bytes(path, "image")
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata, and of sizes below the limit that is checked here.
            warnings.simplefilter("ignore")
            return _decode(content, path)
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(
            f"{path}: expected an image (PNG, JPEG, BMP, TIFF, …), found a file of another kind or "
            "without pixels; give an image file"
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far more") from error
    except Exception as error:  # Pillow's decoders raise almost anything on damaged content
        raise UserError(
            f"{path}: the image is damaged or cut short ({_one_line(error)}); "
            "copy or export the file again"
        ) from error


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a picture as a PNG file, whole or not at all.

    Args:
        path: the file; its folder is created.
        image: uint8 array, height x width x 3 (RGB) or height x width (grey).

    Raises:
        UserError: the file cannot be written.
        ValueError: the array is no such picture.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"write_png: expected an uint8 picture, got {image.dtype} {image.shape}")
    with atomic_output(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG")


def _decode(content: bytes, path: Path) -> NDArray[np.uint8]:
    image = _open(content, path)
    unpacker = _LOW_BYTE_UNPACKER.get(_unpacker(image)) if image.format == "PNG" else None
    if unpacker is not None:
        low = _open(content, path)
        # `tile` belongs to Pillow's decoder interface, on ImageFile rather than Image.
        vars(low)["tile"] = [tile._replace(args=unpacker) for tile in vars(low)["tile"]]
        words = _rgb(image, path).astype(np.uint32) * 256 + _rgb(low, path)
        return _eight_bits(words)
    return _rgb(image, path)


def _open(content: bytes, path: Path) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    width, height = image.size
    if width * height > MAXIMUM_PIXELS:
        raise _too_large(path, f"{width}x{height}")
    return image


def _unpacker(image: Image.Image) -> str:
    tiles = getattr(image, "tile", [])
    return str(tiles[0].args) if tiles else ""


def _rgb(image: Image.Image, path: Path) -> NDArray[np.uint8]:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16") or (upright.mode == "I" and image.format == "PNG"):
        grey = _eight_bits(np.asarray(upright).astype(np.uint32))
        return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if upright.mode in ("I", "F"):
        raise UserError(
            f"{path}: expected 8-bit or 16-bit samples, found 32-bit ones; "
            "export the picture with 8 bits per channel"
        )
    if "transparency" in upright.info and upright.mode != "RGBA":
        upright = upright.convert("RGBA")
    return np.array(upright.convert("RGB"), dtype=np.uint8)


def _eight_bits(words: NDArray[np.uint32]) -> NDArray[np.uint8]:
    # 65535 = 255 * 257, so dividing by 257 and rounding maps the full range onto 0..255.
    return ((words + 128) // 257).astype(np.uint8)


def _too_large(path: Path, given: str) -> UserError:
    return UserError(
        f"{path}: expected at most {MAXIMUM_PIXELS} pixels, found {given}; "
        "crop or reduce the picture"
    )


def _one_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
