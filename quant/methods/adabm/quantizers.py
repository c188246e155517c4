"""The quantizers of one layer, with what is learned of them."""

import torch
from torch import Tensor, nn

from quant.methods.adabm.bits import ImageBits, layer_offset
from quant.methods.adabm.layer_map import Role
from quant.methods.adabm.ranges import clipped_range
from quant.methods.learning.quantizers import asymmetric, mid_rise
from quant.policy import LayerBits

_SMALLEST = 1e-6


class LayerInput(nn.Module):
    """Quantizes a layer's input to the bits that role, layer and image give it.

    Attributes:
        role: of the layer.
        low: the least value.
        high: the greatest value.
        measure: what the layer's offset is rounded from.
        clips_next: whether the next input is searched for better bounds first.
    """

    def __init__(self, role: Role, base_bits: int, image: ImageBits) -> None:
        super().__init__()
        self.role = role
        self.low = nn.Parameter(torch.zeros(()))
        self.high = nn.Parameter(torch.ones(()))
        self.measure = nn.Parameter(torch.zeros(()))
        self.clips_next = False
        self._base_bits = base_bits
        self._image = (image,)  # shared, so that it is no part of this module's state

    def layer_bits(self) -> Tensor:
        """Bits without those of the image."""
        offset = layer_offset(self.measure) if self.role is Role.ADAPTIVE else 0.0
        return self._base_bits + offset * torch.ones(())

    def bits(self) -> Tensor:
        """Bits for each image of the batch that `ImageBits.look_at` saw, [batch, 1, 1, 1]."""
        offsets = self._image[0].offsets
        is_adaptive = self.role is Role.ADAPTIVE
        return self.layer_bits() + (offsets if is_adaptive else torch.zeros_like(offsets))

    def forward(self, values: Tensor) -> Tensor:
        """The nearest values that have codes, of float batch x channels x height x width."""
        if self.clips_next:
            self._clip(values)
        return asymmetric(values, self.low, self.high, 2.0 ** self.bits() - 1)

    def keep_apart(self) -> None:
        """Move the upper bound so that it stays above the lower one."""
        with torch.no_grad():
            self.high.copy_(torch.maximum(self.high, self.low + _SMALLEST))

    def _clip(self, values: Tensor) -> None:
        with torch.no_grad():
            bits = float(self.layer_bits().detach())
            low, high = clipped_range(values, self.low, self.high, bits)
            self.low.copy_(low)
            self.high.copy_(high)
        self.clips_next = False


class LayerWeights(nn.Module):
    """Quantizes a layer's weights to mid-rise values within a reach."""

    def __init__(self, bits: LayerBits) -> None:
        super().__init__()
        self.reach = nn.Parameter(torch.ones(()))
        self.levels = float(2**bits.weight_bits - 1)

    def forward(self, weight: Tensor) -> Tensor:
        """The nearest values that have codes."""
        return mid_rise(weight, self.reach, self.levels)

    def keep_apart(self) -> None:
        """Keep the reach above 0."""
        with torch.no_grad():
            self.reach.clamp_(min=_SMALLEST)
