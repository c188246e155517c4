"""One update of ODM after the other: two gradients over one graph, joined, then Adam."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quant.lowering.float_network import FloatNetwork
from quant.methods.body_layers import is_dense
from quant.methods.learning.learned import Tensors
from quant.methods.learning.schedule import Schedule
from quant.methods.learning.trainable_network import Places, TrainableNetwork
from quant.methods.odm.cooperation import combined, opposed_share, similarity
from quant.methods.odm.parameters import constants
from quant.methods.odm.quantizers import (
    InputQuantizer,
    Penalty,
    WeightQuantizer,
    deviation,
    mismatch,
    straight_through_mismatch,
)
from quant.methods.odm.settings import (
    DENSE_REGULARIZER_WEIGHT,
    QUANTIZER_RATE_FACTOR,
    REGULARIZER_WEIGHT,
    WEIGHT_PERCENT,
    Settings,
)
from quant.methods.odm.start import LayerStart, chosen_offsets
from quant.policy.bits import LayerBits
from quant.training.hardware import named_device

_WHITE = 255.0
_HALVINGS = 4
"""The learning rate has so many values, each half of the one before (specification 5.1)."""

Batch = Callable[[int], tuple[Tensor, Tensor]]
"""Patches of an update at both resolutions, as `Pictures.batch` gives them."""


class OdmLearner:
    """See `quant.methods.learning.loop.Learner`.

    Args:
        network: a folded float network.
        settings: the version and its options.
        bits: of the layers of the body, by name.
        starts: what the float network feeds each of them.
        schedule: how long and how.
        batch: the patches of each update.
    """

    def __init__(
        self,
        network: FloatNetwork,
        settings: Settings,
        bits: Mapping[str, LayerBits],
        starts: Mapping[str, LayerStart],
        schedule: Schedule,
        batch: Batch,
    ) -> None:
        self.iterations = schedule.iterations
        self._settings, self._schedule, self._batch = settings, schedule, batch
        self._device = named_device(schedule.device)
        self._white = network.pixel_range
        self._weight = DENSE_REGULARIZER_WEIGHT if is_dense(network) else REGULARIZER_WEIGHT
        offsets = chosen_offsets(starts) if settings.offsets else {}
        channels, by_name = network.channels(), network.by_name()
        penalty = _penalty(settings)
        self.inputs = {
            name: InputQuantizer(
                starts[name].low,
                starts[name].high,
                bits[name].activation_bits,
                offsets.get(name),
                channels[by_name[name].inputs[0]],
                penalty,
            )
            for name in bits
        }
        self.weights: dict[str, WeightQuantizer] = {}
        places = Places(inputs=self.inputs, weights=self.weights)
        self.network = TrainableNetwork(network, places, bfloat16=schedule.bfloat16)
        layers = self.network.layer_weights()
        for name in bits:
            self.weights[name] = WeightQuantizer(
                layers[name].detach(),
                bits[name].weight_bits,
                WEIGHT_PERCENT,
                corrects=settings.corrects_clipping,
            )
        self._quantizers = nn.ModuleList([*self.inputs.values(), *self.weights.values()])
        self.network.to(self._device)
        self._quantizers.to(self._device)
        self._trained = [p for p in self.network.parameters() if p.requires_grad]
        self._learned = list(self._quantizers.parameters())
        self._optimizer = torch.optim.Adam([{"params": self._trained}, {"params": self._learned}])
        self._sums = {"similarity": 0.0, "opposed_share": 0.0}

    def step(self, iteration: int) -> Tensor:
        """One update; returns the mean absolute error before it, in 0…255 pixels."""
        low, high = (patches.to(self._device) for patches in self._batch(iteration))
        with torch.enable_grad():
            enlarged = self.network(low)
            loss: Tensor = (enlarged * (_WHITE / self._white) - high).abs().mean()
            regularizes = self._settings.cooperation != "none" and bool(self.inputs)
            every = [*self._trained, *self._learned]
            gradients = torch.autograd.grad(loss, every, retain_graph=regularizes)
        for parameter, gradient in zip(every, gradients, strict=True):
            parameter.grad = gradient
        if regularizes:
            self._regularize()
        for group, factor in zip(
            self._optimizer.param_groups, (1.0, QUANTIZER_RATE_FACTOR), strict=True
        ):
            group["lr"] = factor * learning_rate(self._schedule, iteration)
        self._optimizer.step()
        return loss.detach()

    def _regularize(self) -> None:
        """Add the regularizer's gradient to that of weights and biases (specification 8, O4)."""
        penalties = [quantizer.penalized for quantizer in self.inputs.values()]
        total = torch.stack([penalty for penalty in penalties if penalty is not None]).sum()
        layers = list(self.network.layer_weights().values())
        reached = self.network.layer_constants()
        found = torch.autograd.grad(total, reached, allow_unused=True)
        gradients = dict(zip(reached, found, strict=True))
        alike = similarity(
            [_gradient(weight) for weight in layers],
            [_or_zero(gradients[weight], weight) for weight in layers],
        )
        pairs = [(p, gradient) for p, gradient in gradients.items() if gradient is not None]
        opposed = opposed_share([_gradient(p) for p, _ in pairs], [g for _, g in pairs])
        self._sums["similarity"] += float(alike)
        self._sums["opposed_share"] += float(opposed)
        for parameter, gradient in pairs:
            parameter.grad = combined(
                self._settings.cooperation, _gradient(parameter), gradient, self._weight, alike
            )

    def state(self) -> dict[str, Any]:
        """See `Learner.state`."""
        return {
            "network": self.network.state_dict(),
            "quantizers": self._quantizers.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "sums": self._sums,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """See `Learner.restore`."""
        self.network.load_state_dict(state["network"])
        self._quantizers.load_state_dict(state["quantizers"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._sums = state["sums"]

    def tensors(self) -> Tensors:
        """What was learned, named as `quant.methods.odm.parameters` says."""
        named: dict[str, Any] = dict(constants(self.network.trained_network()))
        layers = self.network.layer_weights()
        for name, quantizer in self.inputs.items():
            learned = {**quantizer.learned(), "reach": self.weights[name].reach(layers[name])}
            for what, value in learned.items():
                named[f"{name}/{what}"] = value.detach().reshape(-1).cpu().numpy()
        return {name: np.asarray(value, np.float32) for name, value in named.items()}

    def record(self) -> dict[str, object]:
        """Means over all updates of what the two gradients were to each other."""
        if self._settings.cooperation == "none" or not self.iterations:
            return {}
        return {f"mean_{k}": round(v / self.iterations, 4) for k, v in self._sums.items()}


def learning_rate(schedule: Schedule, iteration: int) -> float:
    """Of weights: halved after every quarter of the run."""
    return schedule.learning_rate * 0.5 ** (_HALVINGS * iteration // schedule.iterations)


def _penalty(settings: Settings) -> Penalty | None:
    if settings.cooperation == "none":
        return None
    if not settings.penalizes_mismatch:
        return deviation
    return straight_through_mismatch if settings.straight_through else mismatch


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _or_zero(gradient: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if gradient is None else gradient


def starting_batches(schedule: Schedule, batch: Batch, patches: int) -> Sequence[Tensor]:
    """Low-resolution patches of the first updates, at least so many."""
    return [batch(iteration)[0] for iteration in range(-(-patches // schedule.batch))]
