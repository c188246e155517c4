"""One update of FQSR: picture and quantization loss, Adam on everything at once."""

from math import cos, pi
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from quant.methods.fqsr.fake_quantized import FakeQuantized
from quant.methods.learning.pictures import Pictures
from quant.methods.learning.schedule import Schedule
from quant.training.hardware import named_device

QUANTIZATION_LOSS = 0.3
"""Weight of the sum of mean|x − Q(x)| over all quantizers. Source: specification 4.3, F6."""

_WHITE_CODE = 255.0  # of the 8-bit pictures that are learned from


class FqsrLearner:
    """Trains weights, biases, slopes and intervals jointly; see `quant.methods.learning.loop`.

    Source: specification 4.2–4.4. The learning rate falls along a cosine to 0.

    Args:
        network: in its first state; trained in place.
        pictures: what is learned from.
        schedule: how long and how.
        relative_rate: None gives intervals the learning rate of the weights, as released; a number
            gives each this many times as much for each unit of its own value, because intervals
            of tens hardly move in a short run else.

    Attributes:
        iterations: updates in all.

    Raises:
        UserError: the schedule asks for CUDA and there is none.
    """

    def __init__(
        self,
        network: FakeQuantized,
        pictures: Pictures,
        schedule: Schedule,
        relative_rate: float | None = None,
    ) -> None:
        self.iterations = schedule.iterations
        self._pictures, self._schedule, self._relative_rate = pictures, schedule, relative_rate
        self._device = named_device(schedule.device)
        self._network = network.to(self._device).train()
        trained = [p for p in network.trainable.parameters() if p.requires_grad]
        reaches = [quantizer.reach for quantizer in network.quantizers_in_order()]
        self._optimizer = torch.optim.Adam([{"params": p} for p in (trained, *reaches)])

    def step(self, iteration: int) -> Tensor:
        """Do one update; returns the loss."""
        low, high = (
            values.to(self._device)
            for values in self._pictures.batch(
                iteration,
                seed=self._schedule.seed,
                batch=self._schedule.batch,
                patch=self._schedule.patch,
            )
        )
        self._set_rates(iteration)
        self._optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._schedule.bfloat16):
            picture, quantization = self._network(low)
        white = self._network.trainable.network.pixel_range
        loss: Tensor = functional.l1_loss(picture.float(), high * (white / _WHITE_CODE))
        loss = loss + QUANTIZATION_LOSS * quantization
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        for quantizer in self._network.quantizers_in_order():
            quantizer.keep_positive()
        return loss.detach()

    def state(self) -> dict[str, Any]:
        """The network with its quantizers, and the optimizer's moments."""
        return {"network": self._network.state_dict(), "optimizer": self._optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Bring back what `state` gave."""
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _set_rates(self, iteration: int) -> None:
        rate = self._schedule.learning_rate * (1 + cos(pi * iteration / self.iterations)) / 2
        groups = self._optimizer.param_groups
        groups[0]["lr"] = rate
        quantizers = self._network.quantizers_in_order()
        for group, quantizer in zip(groups[1:], quantizers, strict=True):
            relative = self._relative_rate
            group["lr"] = rate * (
                1 if relative is None else relative * float(quantizer.reach.detach())
            )
