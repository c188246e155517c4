"""Muon: steps along orthogonal matrices, which train convolutions in several times fewer steps.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024
(kellerjordan.github.io/posts/muon). A gradient's matrix has few strong directions; made orthogonal,
it moves the weights equally far in all of them.
"""

import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

_MOMENTUM = 0.95  # Jordan et al.
_NEWTON_SCHULZ_STEPS = 5  # Jordan et al.
_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Polynomial that takes singular values from 0..1 to about 1; Jordan et al."""

_STEP_OF_ADAM = 0.2
"""Root mean square of Adam's steps by its learning rate, so that both can share one; Liu et al.,
"Muon is scalable for LLM training", arXiv 2502.16982, section 2.2."""


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, as long as a step of Adam of the same learning rate."""

    def __init__(self, weights: Iterable[nn.Parameter], rate: float, *, bfloat16: bool) -> None:
        """Take over weights.

        Args:
            weights: of convolutions, outputs x inputs x height x width; matrices of as many rows as
                there are outputs.
            rate: the learning rate, ``lr`` of the group.
            bfloat16: whether matrices are made orthogonal in bfloat16, which is exact enough.
        """
        super().__init__(weights, {"lr": rate})
        self._dtype = torch.bfloat16 if bfloat16 else torch.float32

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Move all weights that have a gradient."""
        for group in self.param_groups:
            alike: defaultdict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    alike[weight.shape].append(weight)
            for weights in alike.values():
                self._move(weights, group["lr"])

    def _move(self, weights: list[nn.Parameter], rate: float) -> None:
        """Weights of one shape: many small products of matrices are quicker as one batch."""
        matrices = torch.stack([self._momentum(weight).flatten(1) for weight in weights])
        directions = orthogonalized(matrices.to(self._dtype)).to(matrices.dtype)
        length = rate * _STEP_OF_ADAM * math.sqrt(max(matrices.shape[1:]))
        for weight, direction in zip(weights, directions, strict=True):
            weight.sub_(direction.view(weight.shape), alpha=length)

    def _momentum(self, weight: nn.Parameter) -> Tensor:
        assert weight.grad is not None
        if not self.state[weight]:
            self.state[weight]["momentum"] = torch.zeros_like(weight)
        momentum: Tensor = self.state[weight]["momentum"]
        momentum.mul_(_MOMENTUM).add_(weight.grad)
        return weight.grad + _MOMENTUM * momentum


def orthogonalized(matrices: Tensor) -> Tensor:
    """Matrices whose singular values are all about 1, by Newton-Schulz iteration.

    Args:
        matrices: float, N x rows x columns.

    Returns:
        Of the same type and shape, with the singular vectors of ``matrices`` and singular values
        of about 0.7 to 1.2.
    """
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonalized(matrices.mT).mT
    first, third, fifth = _QUINTIC
    result: Tensor = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_NEWTON_SCHULZ_STEPS):
        square = result @ result.mT
        result = first * result + (third * square + fifth * (square @ square)) @ result
    return result
