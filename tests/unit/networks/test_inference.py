import numpy as np
import torch
from torch import Tensor, nn

from quant.networks.inference import super_resolve


class _Doubler(nn.Module):
    """Twice each value less 1.5, so that results fall on halves and outside 0..255."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))

    def forward(self, image: Tensor) -> Tensor:
        return image * self.factor - 1.5


def test_results_are_clamped_and_rounded() -> None:
    image = np.array([[[0, 1, 2], [3, 100, 200]]], dtype=np.uint8)
    result = super_resolve(_Doubler(), image)
    assert result.dtype == np.uint8
    assert result.tolist() == [[[0, 0, 2], [4, 198, 255]]]  # halves go to the even neighbour


def test_any_view_of_a_picture_is_taken() -> None:
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    view = image[::-1, ::2]
    np.testing.assert_array_equal(
        super_resolve(_Doubler(), view), super_resolve(_Doubler(), view.copy())
    )
