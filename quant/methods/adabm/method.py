"""The method ``adabm``: bits that images and layers decide, ranges learned in 500 updates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.lowering import FloatNetwork, scale_grid
from quant.methods.adabm.layer_map import LayerMap, Role, layer_map
from quant.methods.adabm.network import AdaptiveNetwork, adaptive_encodings
from quant.methods.calibration import Calibration
from quant.methods.learning.learned import (
    Learned,
    Tensors,
    fingerprint,
    load_fitting,
    shipped_learned,
)
from quant.methods.options import count, flag, parse_options
from quant.methods.quantized_network import QuantizedNetwork
from quant.methods.ranges import Source, range_encodings, whole_range
from quant.policy import BitPolicy, LayerBits

if TYPE_CHECKING:
    from quant.methods.learning.loop import Told
    from quant.methods.learning.pictures import Pictures
    from quant.methods.learning.schedule import Schedule

PATCHES = 100
"""What is calibrated and learned on."""
PATCH_PIXELS = 96
ITERATIONS = 500
STREAM_BITS = 16
"""Of maps that the method leaves real: skip additions and what they add."""

_FIXED = LayerBits(8, 8)
_LEAST_BASE_BITS = 3
"""Image and layer may both take one away."""


@dataclass(frozen=True, slots=True)
class AdaBM:
    """Hong and Lee, "AdaBM: On-the-Fly Adaptive Bit Mapping", CVPR 2024.

    Attributes:
        fq: whether layers outside the trunk are quantized by the method too.
        iterations: updates, where nothing learned is at hand; 0 calibrates only.
        learned: file of learned parameters.
        signed_maximum: weights' ranges start from the greatest weight, as the released code has it,
            not from the greatest magnitude.
    """

    fq: bool = False
    iterations: int = ITERATIONS
    learned: Path | None = None
    signed_maximum: bool = False

    @classmethod
    def parse(cls, text: str) -> "AdaBM":
        """The method of its options' text.

        Raises:
            UserError: an option is not known or cannot be read.
        """
        readers: dict[str, Callable[[str], Any]] = {
            "fq": flag,
            "iterations": count,
            "learned": Path,
            "signed_maximum": flag,
        }
        return cls(**parse_options("adabm", text, readers))

    @property
    def schedule_defaults(self) -> Mapping[str, Any]:
        """What `Schedule` has for this method where nothing is given (specification 2.6)."""
        return {
            "iterations": self.iterations,
            "batch": 2,
            "patch": PATCH_PIXELS,
            "learning_rate": 0.01,
        }

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> AdaptiveNetwork:
        """See `QuantizationMethod.quantize`.

        Parameters are those of the option ``learned``, else those that ship, else they are
        learned now on patches of the calibration pictures.
        """
        layers = layer_map(network, everything=self.fq)
        bits = _layer_bits(network, policy, layers)
        learned = self._tensors(network, policy, layers, bits, calibration)
        kept = replace(policy, residual_bits=max(STREAM_BITS, policy.residual_bits))
        grid = scale_grid(network, mode_named(rounding).name)
        wide = BitPolicy.parse(f"{_FIXED}/all")
        wide = replace(wide, residual_bits=kept.residual_bits)
        real = range_encodings(network, wide, calibration.ranges, whole_range, grid)
        source = Source(kept, str(self), calibration.description, rounding)
        metadata = {
            **source.metadata(network),
            "counted_layers": ",".join(layers.counted),
        }
        low, middle, high = (
            QuantizedNetwork(network, encodings, rounding, metadata)
            for encodings in adaptive_encodings(network, layers, bits, real, learned, grid)
        )
        lower, upper = (float(threshold) for threshold in learned["thresholds"])
        counts = [int(number) for number in learned["frequencies"]]
        return AdaptiveNetwork(
            (low, middle, high), (lower, upper), (counts[0], counts[1], counts[2]), metadata
        )

    def learn(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        pictures: "Pictures",
        schedule: "Schedule",
        checkpoint: Path | None = None,
        tell: "Told | None" = None,
    ) -> Learned:
        """See `quant.methods.learning.training.LearningMethod.learn`."""
        from quant.methods.adabm.learner import AdaBMLearner
        from quant.methods.learning.loop import learn

        layers = layer_map(network, everything=self.fq)
        bits = _layer_bits(network, policy, layers)
        patches, _ = pictures.batch(0, seed=schedule.seed, batch=PATCHES, patch=schedule.patch)
        learner = AdaBMLearner(
            network,
            layers,
            bits,
            patches,
            iterations=schedule.iterations,
            batch=schedule.batch,
            learning_rate=schedule.learning_rate,
            seed=schedule.seed,
            bfloat16=schedule.bfloat16,
            signed_maximum=self.signed_maximum,
        )
        identity = {
            "network": fingerprint(network),
            "method": self._learned_name,
            "policy": policy.to_yaml(),
            "schedule": repr(schedule),
            "pictures": pictures.sha256,
        }
        learn(learner, identity, checkpoint, tell)
        learner.prepare()  # where no update did it
        return Learned(
            learner.learned(), self._learned_name, policy.to_yaml(), fingerprint(network), {}
        )

    def __str__(self) -> str:
        options = [
            *(["fq"] if self.fq else []),
            *([f"iterations={self.iterations}"] if self.iterations != ITERATIONS else []),
            *([f"learned={self.learned}"] if self.learned else []),
            *(["signed_maximum"] if self.signed_maximum else []),
        ]
        return ":".join(filter(None, ("adabm", ",".join(options))))

    @property
    def _learned_name(self) -> str:
        """As files of learned parameters have it: with the options that change what is learned."""
        parts = ["adabm", *(["fq"] * self.fq), *(["signed"] * self.signed_maximum)]
        return "-".join(parts)

    def _tensors(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        layers: LayerMap,
        bits: Mapping[str, LayerBits],
        calibration: Calibration,
    ) -> Tensors:
        name = self._learned_name
        if self.learned is not None:
            return load_fitting(self.learned, network, name, policy).tensors
        if self.iterations == ITERATIONS:
            shipped = shipped_learned(network, name, policy)
            if shipped is not None:
                return shipped.tensors
        return self._learned_here(network, layers, bits, calibration)

    def _learned_here(
        self,
        network: FloatNetwork,
        layers: LayerMap,
        bits: Mapping[str, LayerBits],
        calibration: Calibration,
    ) -> Tensors:
        import torch

        from quant.methods.adabm.learner import AdaBMLearner
        from quant.methods.learning.loop import learn

        _ = calibration.ranges  # refuses pictures that do not fit
        patches = drawn_patches(calibration.images, PATCHES, PATCH_PIXELS, seed=1)
        learner = AdaBMLearner(
            network,
            layers,
            bits,
            torch.from_numpy(patches).permute(0, 3, 1, 2).float(),
            iterations=self.iterations,
            signed_maximum=self.signed_maximum,
        )
        learn(learner, {}, tell=calibration.tell)
        learner.prepare()  # where no update did it
        return learner.learned()


def drawn_patches(
    images: Sequence[NDArray[np.uint8]], patches: int, side: int, seed: int
) -> NDArray[np.uint8]:
    """Squares from random places of random pictures, each as likely as it has pixels.

    Args:
        images: uint8, height x width x 3 each.
        patches: how many.
        side: their height and width; that of the smallest picture if it is smaller.
        seed: of what is drawn.

    Returns:
        uint8 [patches, side, side, 3].
    """
    random = np.random.default_rng(seed)
    side = min(side, *(min(image.shape[:2]) for image in images))
    pixels = np.array([image.shape[0] * image.shape[1] for image in images], np.float64)
    drawn = []
    for picture in random.choice(len(images), patches, p=pixels / pixels.sum()):
        height, width = images[picture].shape[:2]
        top, left = (int(random.integers(extent - side + 1)) for extent in (height, width))
        drawn.append(images[picture][top : top + side, left : left + side])
    return np.stack(drawn)


def _layer_bits(network: FloatNetwork, policy: BitPolicy, layers: LayerMap) -> dict[str, LayerBits]:
    """Base bits of the layers that have few, at least 8 of the others.

    Raises:
        UserError: a base is too narrow for two bits to be taken away.
    """
    bits = policy.resolve(network.layer_names())
    for name, role in layers.roles.items():
        if role in (Role.FIXED, Role.REAL):
            bits[name] = bits[name].at_least(_FIXED)
        elif bits[name].activation_bits < _LEAST_BASE_BITS:
            raise UserError(
                f"method adabm: layer '{name}': expected activations of at least "
                f"{_LEAST_BASE_BITS} bits, of which image and layer may take two away, given "
                f"{bits[name]}; choose wider ones"
            )
    return bits
