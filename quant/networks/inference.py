"""Running a float network on a picture."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def enlarge(network: nn.Module, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a float network makes of one picture, before it is rounded to a picture.

    Args:
        network: takes and gives float N x 3 x H x W with values 0..255; run on the device its
            parameters are on, in the mode (training or evaluation) it is in.
        image: uint8, height x width x 3.

    Returns:
        float32 within 0..255, scale*height x scale*width x 3.
    """
    parameter = next(network.parameters())
    with torch.no_grad():
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
        enlarged = network(pixels.to(device=parameter.device, dtype=parameter.dtype))
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
