"""A network with FQSR's quantizers in place, to learn with and to measure by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from quant.common.errors import UserError
from quant.lowering import FloatNetwork, Images
from quant.lowering.execution import constants_of
from quant.lowering.float_operators import FloatInput
from quant.lowering.statistics import require_images
from quant.methods.fqsr.intervals import Interval
from quant.methods.fqsr.layer_map import LayerMap
from quant.methods.learning.trainable_network import Places, Quantizer, TrainableNetwork
from quant.policy import LayerBits

WARM_UP_CALLS = 20
"""Of a quantizer, until its interval is learned; an addition's is called twice a batch. Source:
specification 4.2."""


@dataclass(frozen=True, slots=True)
class Grids:
    """What is quantized, and how finely.

    Attributes:
        layer_map: the tensors.
        bits: of each layer's input and weights.
        output_bits: of layers' results and of additions' operands.
    """

    layer_map: LayerMap
    bits: Mapping[str, LayerBits]
    output_bits: int


class FakeQuantized(nn.Module):
    """A float network whose tensors are rounded to learned grids.

    Args:
        network: folded, with PReLUs for its ReLUs.
        grids: of its tensors.

    Attributes:
        trainable: the network's weights, biases and slopes.
        intervals: the quantizers' names, ``fm/layer``, ``wt/layer``, ``ot/layer`` and
            ``add/addition``, in the order of ``quantizers``.
        quantizers: all of them.
    """

    def __init__(self, network: FloatNetwork, grids: Grids) -> None:
        super().__init__()
        self._losses: list[Tensor] = []
        found = _intervals(grids, self._losses.append)
        self.intervals = tuple(found)
        self.quantizers = nn.ModuleList(found.values())
        self.trainable = TrainableNetwork(network, _places(network, grids.layer_map, found))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The enlarged pictures of a batch, and the sum of the quantization losses.

        Args:
            image: float32, batch x colours x height x width, pixels 0…255.
        """
        self._losses.clear()
        picture: Tensor = self.trainable(image)
        zero = picture.new_zeros((), dtype=torch.float32)
        total = torch.stack([zero, *self._losses]).sum()
        self._losses.clear()
        return picture, total

    @torch.no_grad()
    def calibrate(self, images: Images) -> None:
        """Warm up on pictures alone: each is a batch, and weights stay as they are.

        Args:
            images: uint8, height x width x colours each; the first 20 are looked at.

        Raises:
            UserError: there are none, they do not fit the network, or a feature map overflows.
        """
        require_images(self.trainable.network, images)
        self.train()
        for image in images[:WARM_UP_CALLS]:
            self.trainable(_batch(image))
        self.eval()
        for name, reach in self.reaches().items():
            if not isfinite(reach):
                raise UserError(
                    f"method fqsr: expected finite values of '{name}' on the calibration images, "
                    "found an overflow; train the network again or give other weights"
                )

    @torch.no_grad()
    def largest_magnitudes(self, names: Sequence[str], images: Images) -> dict[str, float]:
        """The largest magnitude of some feature maps on pictures, everything being quantized.

        Args:
            names: of feature maps.
            images: uint8, height x width x colours each.
        """
        self.eval()
        largest = dict.fromkeys(names, 0.0)

        def note(name: str, values: Tensor) -> None:
            if name in largest:
                largest[name] = max(largest[name], float(values.abs().max()))

        for image in images if names else ():
            self.trainable(_batch(image), on_map=note)
        return largest

    def reaches(self) -> dict[str, float]:
        """Every learned interval by name."""
        return {
            name: float(quantizer.reach.detach())
            for name, quantizer in zip(self.intervals, self.quantizers_in_order(), strict=True)
        }

    @torch.no_grad()
    def set_reaches(self, reaches: Mapping[str, float]) -> None:
        """Take over intervals by name; none is left to warm up."""
        for name, quantizer in zip(self.intervals, self.quantizers_in_order(), strict=True):
            quantizer.set_reach(reaches[name])

    def quantizers_in_order(self) -> list[Interval]:
        """All quantizers, as `intervals` names them."""
        return [module for module in self.quantizers if isinstance(module, Interval)]


def _batch(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()


def _intervals(grids: Grids, on_loss: Callable[[Tensor], None]) -> dict[str, Interval]:
    """Quantizers by name, of inputs, weights, outputs and additions."""

    def interval(bits: int, *, signed: bool = True) -> Interval:
        return Interval((1 << bits) - 1, signed=signed, warm_up=WARM_UP_CALLS, on_loss=on_loss)

    layer_map, bits = grids.layer_map, grids.bits
    found: dict[str, Interval] = {}
    for name in layer_map.weights:
        if name in layer_map.signed_inputs or name in layer_map.unsigned_inputs:
            signed = name in layer_map.signed_inputs
            found[f"fm/{name}"] = interval(bits[name].activation_bits, signed=signed)
        found[f"wt/{name}"] = interval(bits[name].weight_bits)
    for kind, names in (("ot", layer_map.outputs), ("add", layer_map.additions)):
        found.update((f"{kind}/{name}", interval(grids.output_bits)) for name in names)
    return found


def _places(network: FloatNetwork, layer_map: LayerMap, found: Mapping[str, Interval]) -> Places:
    def of(kind: str, names: Sequence[str]) -> dict[str, Quantizer]:
        return {name: found[f"{kind}/{name}"] for name in names}

    inputs = of("fm", layer_map.signed_inputs + layer_map.unsigned_inputs)
    picture = _picture_codes(network)
    return Places(
        inputs={name: inputs.get(name, picture) for name in layer_map.weights},
        weights=of("wt", layer_map.weights),
        biases={
            name: _bias_codes(found[f"fm/{name}"], found[f"wt/{name}"], found[f"ot/{name}"])
            for name in layer_map.outputs
            if f"fm/{name}" in found
        },
        outputs=of("ot", layer_map.outputs),
        operands=of("add", layer_map.additions),
        pads_first=True,
    )


def _bias_codes(source: Interval, weight: Interval, target: Interval) -> Quantizer:
    """Rounds biases as they are stored: in units of the sums, with the half range of the result.

    A unit is up to a third of a step of the result at 4 bits, and a wrong bias is wrong at every
    pixel. Gradients pass unchanged.
    """

    def nearest(bias: Tensor) -> Tensor:
        if any(interval.is_warming_up() for interval in (source, weight, target)):
            return bias
        unit = (source.reach * weight.reach).detach() / (source.levels * weight.levels)
        middle = target.reach.detach()
        stored = torch.floor((bias.detach() + middle) / unit + 0.5) * unit - middle
        return bias + (stored - bias).detach()

    return nearest


def _picture_codes(network: FloatNetwork) -> Quantizer:
    """Rounds what is no pixel's value, the zeros around the picture, to the nearest pixel's.

    Where a network subtracts a mean colour, 0 is none; the machine pads with whole pixels.
    """
    image = network.nodes[0].operator
    assert isinstance(image, FloatInput)
    (offset,) = constants_of(image, torch.float32)

    def nearest(values: Tensor) -> Tensor:
        start = offset.to(values.device)
        return torch.floor((values - start) / image.scale + 0.5) * image.scale + start

    return nearest
