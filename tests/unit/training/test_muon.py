import math

import pytest
import torch
from torch import nn

from quant.training.muon import Muon, orthogonalized


@pytest.mark.parametrize("shape", [(3, 16, 40), (2, 40, 16), (1, 16, 16)])
def test_singular_values_become_about_one(shape: tuple[int, ...]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(4))
    result = orthogonalized(matrices)
    values = torch.linalg.svdvals(result)
    assert result.shape == shape
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_singular_vectors_are_kept() -> None:
    generator = torch.Generator().manual_seed(4)
    left, _ = torch.linalg.qr(torch.randn((12, 12), generator=generator))
    right, _ = torch.linalg.qr(torch.randn((20, 12), generator=generator))
    matrix = left @ torch.diag(torch.linspace(0.2, 1, 12)) @ right.T
    inner = left.T @ orthogonalized(matrix[None])[0] @ right
    assert (inner - torch.diag(inner.diag())).abs().max() < 1e-4
    assert (inner.diag() > 0.5).all()


def _step(gradients: list[torch.Tensor], rate: float) -> torch.Tensor:
    """How far weights move in the last of some steps."""
    weight = nn.Parameter(torch.zeros_like(gradients[0]))
    optimizer = Muon([weight], rate, bfloat16=False)
    for gradient in gradients:
        before = weight.detach().clone()
        weight.grad = gradient.clone()
        optimizer.step()
    return weight.detach() - before


def test_a_step_is_as_long_as_one_of_adam_whatever_the_gradient() -> None:
    gradient = torch.randn((32, 32, 3, 3), generator=torch.Generator().manual_seed(1))
    step = _step([gradient], rate=1e-3)
    assert step.square().mean().sqrt().item() == pytest.approx(0.2e-3, rel=0.15)
    torch.testing.assert_close(_step([1000 * gradient], rate=1e-3), step, rtol=1e-3, atol=1e-8)
    assert (step * gradient).sum() < 0


def test_momentum_looks_ahead() -> None:
    first, second = torch.randn((2, 16, 16, 3, 3), generator=torch.Generator().manual_seed(1))
    momentum = 0.95 * first + second
    direction = orthogonalized((second + 0.95 * momentum).flatten(1)[None])[0]
    expected = -1e-3 * 0.2 * math.sqrt(16 * 9) * direction.view(first.shape)
    torch.testing.assert_close(_step([first, second], rate=1e-3), expected)


def test_weights_move_alike_whichever_others_have_their_shape() -> None:
    gradients = torch.randn((2, 16, 16, 3, 3), generator=torch.Generator().manual_seed(2))
    weights = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    idle = nn.Parameter(torch.ones((16, 16, 3, 3)))
    Muon([*weights, idle], 1e-2, bfloat16=False).step()
    for weight, gradient in zip(weights, gradients, strict=True):
        torch.testing.assert_close(weight.detach(), _step([gradient], 1e-2))
    assert (idle == 1).all()
