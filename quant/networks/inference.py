"""Running a float network on a picture."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def pixel_range(network: nn.Module) -> float:
    """Value of a white pixel at a network's input and output: its configuration's, else 255."""
    return float(getattr(getattr(network, "config", None), "pixel_range", 255.0))


def enlarge(network: nn.Module, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a float network makes of one picture, before it is rounded to a picture.

    Args:
        network: takes and gives float N x 3 x H x W with white at ``pixel_range(network)``; run on
            the device its parameters are on, in the mode (training or evaluation) it is in.
        image: uint8, height x width x 3.

    Returns:
        float32 within 0..255, scale*height x scale*width x 3.
    """
    parameter = next(network.parameters())
    with torch.no_grad():
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
        codes_to_pixels = pixel_range(network) / 255
        image_pixels = pixels.to(device=parameter.device, dtype=parameter.dtype)
        enlarged = network(image_pixels * codes_to_pixels) / codes_to_pixels
        clamped = enlarged[0].clamp(0, 255).permute(1, 2, 0).float().cpu()
    return np.ascontiguousarray(clamped.numpy())


def super_resolve(network: nn.Module, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge one picture with a float network.

    The result is rounded half to even, as evaluation code of the field does before it measures
    quality.

    Args:
        network: as for `enlarge`.
        image: uint8, height x width x 3.

    Returns:
        uint8, scale*height x scale*width x 3.
    """
    return np.rint(enlarge(network, image)).astype(np.uint8)
