"""AdaBM's calibration, clipping and fine-tuning (specification 2.4 to 2.6)."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter

from quant.lowering import FloatNetwork
from quant.lowering.float_operators import FloatInput
from quant.methods.adabm.bits import ImageBits, complexities, initial_offsets
from quant.methods.adabm.layer_map import LayerMap, Role
from quant.methods.adabm.losses import bits_loss, picture_loss, structure_loss
from quant.methods.adabm.quantizers import LayerInput, LayerWeights
from quant.methods.adabm.ranges import averaged, least_error_reach
from quant.methods.learning.trainable_network import Places, TrainableNetwork
from quant.policy import LayerBits

CALIBRATION_BATCH = 16
"""Patches; with 100 of them, the last of seven batches has four."""
THRESHOLD_PERCENTILES = (10, 90)
"""Of the complexities of a calibration batch."""
EPOCH_DECAY = 0.9
"""Of a group's learning rate, after each of its own epochs."""
THRESHOLD_RATE = 10.0
"""Learning rate of the thresholds, in units of that of everything else."""

WEIGHTS, RANGES, BITS = "weights", "ranges", "bits"
GROUPS = (WEIGHTS, RANGES, BITS)
"""What is learned in turn, an epoch each."""


class AdaBMLearner:
    """Learns ranges, layer bits and image thresholds from a float teacher, the network itself.

    Attributes:
        iterations: updates in all.

    Args:
        network: a folded float network, whose constants stay as they are.
        layers: what its layers are.
        bits: of each learned layer.
        patches: float32, patches x 3 x height x width, pixels 0…255; an epoch sees all of them.
        iterations: updates in all.
        batch: patches of an update.
        learning_rate: of the first epoch of each group.
        seed: of the order of the patches.
        bfloat16: whether convolutions multiply bfloat16.
        signed_maximum: see `least_error_reach`.
    """

    def __init__(
        self,
        network: FloatNetwork,
        layers: LayerMap,
        bits: Mapping[str, LayerBits],
        patches: Tensor,
        *,
        iterations: int,
        batch: int = 2,
        learning_rate: float = 0.01,
        seed: int = 1,
        bfloat16: bool = False,
        signed_maximum: bool = False,
    ) -> None:
        self.iterations = iterations
        self._layers, self._bits, self._patches = layers, bits, patches
        self._signed_maximum = signed_maximum
        self._pixel_range = network.pixel_range
        self.image = ImageBits()
        names = layers.learned
        self.weights = {name: LayerWeights(bits[name]) for name in names}
        self.inputs = {
            name: LayerInput(layers.roles[name], bits[name].activation_bits, self.image)
            for name in names
            if not _reads_image(network, name)
        }
        self._network = TrainableNetwork(
            network, Places(inputs=self.inputs, weights=self.weights)
        ).requires_grad_(False)
        self._by_map = _readers(network, self.inputs)
        self._order = np.random.default_rng(seed).permutation(len(patches))
        self._batch, self._rate = batch, learning_rate
        self._cast = torch.autocast("cpu", torch.bfloat16) if bfloat16 else nullcontext()
        groups = self._groups()
        self._optimizers = {
            WEIGHTS: torch.optim.Adam(groups[WEIGHTS], learning_rate),
            RANGES: torch.optim.Adam(groups[RANGES], learning_rate),
            BITS: torch.optim.Adam(
                [
                    {"params": groups[BITS], "lr": learning_rate},
                    {"params": [self.image.thresholds], "lr": learning_rate * THRESHOLD_RATE},
                ]
            ),
        }
        self._is_prepared = False

    @property
    def epoch_iterations(self) -> int:
        """Updates in which every patch is seen once, the rest of the last batch apart."""
        return max(1, len(self._patches) // self._batch)

    def prepare(self) -> None:
        """Calibrate on the float network and clip ranges, once; the first update does it too."""
        if self._is_prepared:
            return
        self._is_prepared = True
        with torch.no_grad():
            self._calibrate()
            for quantizer in self.inputs.values():
                quantizer.clips_next = quantizer.role is not Role.FIXED
            images = self._images(0)
            self.image.look_at(images)
            self._network(images)

    def step(self, iteration: int) -> Tensor:
        """One update; see `quant.methods.learning.loop.Learner`."""
        if iteration == 0:
            self.prepare()
        epoch, place = divmod(iteration, self.epoch_iterations)
        group = GROUPS[epoch % len(GROUPS)]
        self._activate(group, epoch // len(GROUPS))
        images = self._images(place)
        loss = self._loss(images, with_bits=group is BITS)
        optimizer = self._optimizers[group]
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        self._keep_apart()
        return loss.detach()

    def state(self) -> dict[str, Any]:
        """See `quant.methods.learning.loop.Learner`."""
        return {
            "parameters": [parameter.detach().clone() for parameter in self._parameters()],
            "optimizers": {name: o.state_dict() for name, o in self._optimizers.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """See `quant.methods.learning.loop.Learner`."""
        with torch.no_grad():
            for parameter, value in zip(self._parameters(), state["parameters"], strict=True):
                parameter.copy_(value)
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self._is_prepared = True

    def learned(self) -> dict[str, NDArray[np.floating[Any]]]:
        """Everything that was learned, and which bits the patches choose, by name."""
        tensors: dict[str, NDArray[np.floating[Any]]] = {}
        for name, weights in self.weights.items():
            tensors[f"{name}/reach"] = _array(weights.reach)
        for name, quantizer in self.inputs.items():
            tensors[f"{name}/low"] = _array(quantizer.low)
            tensors[f"{name}/high"] = _array(quantizer.high)
            if quantizer.role is Role.ADAPTIVE:
                tensors[f"{name}/measure"] = _array(quantizer.measure)
        tensors["thresholds"] = _array(self.image.thresholds)
        lower, upper = self.image.thresholds.detach()
        found = complexities(self._patches)
        below, above = int((found < lower).sum()), int((found > upper).sum())
        counts = [below, len(found) - below - above, above]
        tensors["frequencies"] = np.array(counts, np.float32)
        return tensors

    def _calibrate(self) -> None:
        ranges: dict[str, Tensor] = {}
        thresholds: Tensor | None = None
        sensitivities = dict.fromkeys(self._layers.of(Role.ADAPTIVE), 0.0)

        def look(name: str, values: Tensor) -> None:
            for layer in self._by_map.get(name, ()):
                seen = torch.stack([values.min(), values.max()])
                ranges[layer] = averaged(ranges.get(layer), seen)
                if layer in sensitivities:
                    deviations = values.flatten(1).std(dim=1, correction=0)
                    sensitivities[layer] += float(deviations.sum(dtype=torch.float64))

        for images in torch.split(self._patches, CALIBRATION_BATCH):
            quantiles = torch.tensor(THRESHOLD_PERCENTILES, dtype=torch.float64) / 100
            thresholds = averaged(thresholds, complexities(images).quantile(quantiles))
            with self._cast:
                self._network(images, quantized=False, on_map=look)
        assert thresholds is not None
        self.image.thresholds.copy_(thresholds)
        offsets = initial_offsets(list(sensitivities.values()))
        for layer, offset in zip(sensitivities, offsets, strict=True):
            self.inputs[layer].measure.fill_(float(offset))
        for layer, (low, high) in ranges.items():
            self.inputs[layer].low.copy_(low)
            self.inputs[layer].high.copy_(high)
        real = self._network.layer_weights()
        for layer, quantizer in self.weights.items():
            weight_bits = self._bits[layer].weight_bits
            reach = least_error_reach(real[layer], weight_bits, signed_maximum=self._signed_maximum)
            quantizer.reach.fill_(reach)
        self._keep_apart()

    def _keep_apart(self) -> None:
        self.image.keep_apart()
        for quantizer in self.inputs.values():
            quantizer.keep_apart()
        for weights in self.weights.values():
            weights.keep_apart()

    def _loss(self, images: Tensor, *, with_bits: bool) -> Tensor:
        self.image.look_at(images)
        blocks = self._layers.blocks
        with self._cast:
            with torch.no_grad():
                wanted, teacher = self._run(images, quantized=False)
            found, student = self._run(images, quantized=True)
        loss = picture_loss(found.float(), wanted.float(), self._pixel_range) + structure_loss(
            [student[name].float() for name in blocks],
            [teacher[name].float() for name in blocks],
            is_dense=self._layers.is_dense,
        )
        if with_bits:
            counted = [self.inputs[name].bits() for name in self._layers.counted]
            base = np.mean([self._bits[n].activation_bits for n in self._layers.counted])
            loss = loss + bits_loss(torch.cat(counted, dim=1), float(base))
        return loss

    def _run(self, images: Tensor, *, quantized: bool) -> tuple[Tensor, dict[str, Tensor]]:
        maps: dict[str, Tensor] = {}

        def keep(name: str, values: Tensor) -> None:
            if name in self._layers.blocks:
                maps[name] = values

        return self._network(images, quantized=quantized, on_map=keep), maps

    def _images(self, place: int) -> Tensor:
        """The patches of an update: the same order in every epoch."""
        chosen = self._order[place * self._batch : (place + 1) * self._batch]
        return self._patches[torch.from_numpy(chosen)]

    def _groups(self) -> dict[str, list[Parameter]]:
        inputs = self.inputs.values()
        return {
            WEIGHTS: [weights.reach for weights in self.weights.values()],
            RANGES: [bound for quantizer in inputs for bound in (quantizer.low, quantizer.high)],
            BITS: [q.measure for q in inputs if q.role is Role.ADAPTIVE],
        }

    def _parameters(self) -> list[Parameter]:
        groups = self._groups()
        return [*(p for group in groups.values() for p in group), self.image.thresholds]

    def _activate(self, group: str, own_epochs: int) -> None:
        """Let one group learn, at the rate of its so-manieth epoch."""
        for parameter in self._parameters():
            parameter.requires_grad_(False)
        factor = EPOCH_DECAY**own_epochs
        rates = (self._rate * factor, self._rate * THRESHOLD_RATE * factor)
        for parameters, rate in zip(self._optimizers[group].param_groups, rates, strict=False):
            parameters["lr"] = rate
            for parameter in parameters["params"]:
                parameter.requires_grad_(True)


def _reads_image(network: FloatNetwork, layer: str) -> bool:
    nodes = network.by_name()
    return isinstance(nodes[nodes[layer].inputs[0]].operator, FloatInput)


def _readers(network: FloatNetwork, layers: Mapping[str, LayerInput]) -> dict[str, list[str]]:
    """For each feature map, the quantized layers that read it."""
    readers: dict[str, list[str]] = {}
    for node in network.nodes:
        if node.name in layers:
            readers.setdefault(node.inputs[0], []).append(node.name)
    return readers


def _array(value: Tensor) -> NDArray[np.floating[Any]]:
    array: NDArray[np.floating[Any]] = value.detach().float().reshape(-1).numpy()
    return array.copy()
