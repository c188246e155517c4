"""How far a quantized network is from its float teacher (specification 2.6)."""

from collections.abc import Sequence

import torch
from torch import Tensor

STRUCTURE_WEIGHT = 10.0
BITS_WEIGHT = 50.0


def picture_loss(student: Tensor, teacher: Tensor, pixel_range: float) -> Tensor:
    """Mean absolute difference of pictures, in 255ths of white.

    Args:
        student: batch x colours x height x width.
        teacher: the same shape.
        pixel_range: value of a white pixel.
    """
    return (student - teacher).abs().mean() * (255 / pixel_range)


def structure_loss(
    student: Sequence[Tensor], teacher: Sequence[Tensor], *, is_dense: bool
) -> Tensor:
    """Ten times the distance of normalized feature maps behind blocks, as released.

    Each map is divided by its Frobenius norm over the batch; then norms of differences are added
    over images and blocks and divided by batch · (batch · blocks). For dense networks maps are
    divided by their values per image too.

    Args:
        student: for each block, batch x channels x height x width.
        teacher: the same shapes.
        is_dense: whether the network is an RDN.
    """
    batch = student[0].shape[0]
    total = student[0].new_zeros(())
    for found, wanted in zip(student, teacher, strict=True):
        divisor = found[0].numel() if is_dense else 1
        difference = (_normalized(found) - _normalized(wanted)) / divisor
        # At equal maps a norm has no gradient; the smallest number keeps it finite there.
        squares = difference.flatten(1).square().sum(dim=1)
        total = total + (squares + torch.finfo(squares.dtype).tiny).sqrt().sum()
    loss: Tensor = STRUCTURE_WEIGHT * total / (batch * batch * len(student))
    return loss


def bits_loss(bits: Tensor, base: float) -> Tensor:
    """Fifty times what the mean of bits lies above the base.

    Args:
        bits: of the counted layers for each image, any shape.
        base: mean of the base bits of the counted layers.
    """
    return BITS_WEIGHT * torch.clamp(bits.mean() - base, min=0)


def _normalized(values: Tensor) -> Tensor:
    norm = torch.linalg.vector_norm(values)
    normalized: Tensor = values / norm.clamp(min=torch.finfo(values.dtype).tiny)
    return normalized
