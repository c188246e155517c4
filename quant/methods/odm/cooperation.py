"""How the gradients of reconstruction and regularizer become one (specification 5.1 and 5.2)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from quant.methods.odm.settings import Cooperation

Gradients = Sequence[Tensor]


def similarity(one: Gradients, other: Gradients) -> Tensor:
    """(cos + 1) / 2 of the angle between two gradients, each taken as one vector: 0…1.

    Half where one of them is zero throughout.

    Args:
        one: tensors of any shapes.
        other: tensors of the same shapes.
    """
    product = torch.stack([(a * b).sum() for a, b in zip(one, other, strict=True)]).sum()
    lengths = [torch.stack([g.square().sum() for g in all_]).sum().sqrt() for all_ in (one, other)]
    length = lengths[0] * lengths[1]
    cosine = torch.where(length > 0, product / length, torch.zeros_like(product))
    return ((cosine + 1) / 2).clamp(0, 1)


def opposed_share(one: Gradients, other: Gradients) -> Tensor:
    """The share of numbers whose signs are opposite in two gradients: 0…1."""
    opposed = torch.stack([(a * b < 0).sum() for a, b in zip(one, other, strict=True)]).sum()
    return opposed / sum(gradient.numel() for gradient in one)


def gated(reconstruction: Tensor, regularizer: Tensor) -> Tensor:
    """The regularizer's gradient where it has the sign of the reconstruction's, else 0."""
    agrees = reconstruction.sign() == regularizer.sign()
    return torch.where(agrees, regularizer, torch.zeros_like(regularizer))


def combined(
    cooperation: Cooperation,
    reconstruction: Tensor,
    regularizer: Tensor,
    weight: float,
    alike: Tensor,
) -> Tensor:
    """The gradient of one parameter that is descended along.

    Args:
        cooperation: how both join.
        reconstruction: gradient of the reconstruction, whose weight is 1.
        regularizer: gradient of the regularizer, of the same shape.
        weight: of the regularizer.
        alike: `similarity` of all layers' weights.
    """
    match cooperation:
        case "none":
            return reconstruction
        case "naive":
            return reconstruction + weight * regularizer
        case "cooperative":
            return reconstruction + weight * alike * regularizer
        case "gated":
            return reconstruction + weight * gated(reconstruction, regularizer)
