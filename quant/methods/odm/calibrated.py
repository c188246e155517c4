"""What ODM learns from folders of pictures, and from the calibration pictures alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from quant.lowering import FloatNetwork, Images
from quant.methods.calibration import Calibration
from quant.methods.learning.learned import Learned, fingerprint
from quant.methods.learning.loop import Told, learn
from quant.methods.learning.pictures import Pictures
from quant.methods.learning.schedule import Schedule, short_schedule
from quant.methods.odm.learner import OdmLearner, starting_batches
from quant.methods.odm.settings import CALIBRATION_PATCHES
from quant.methods.odm.start import observe_inputs
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from quant.methods.odm.method import Odm


def tensors_of(images: Images) -> list[Tensor]:
    """Pictures as batches of one: float32, 1 x colours x height x width, 0…255."""
    return [
        torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
        for image in images
    ]


def calibrated(
    method: Odm, network: FloatNetwork, policy: BitPolicy, calibration: Calibration
) -> Learned:
    """Ranges as the calibration pictures have them, and as many updates as the method says.

    For updates the pictures are taken as originals, whose reductions the network enlarges.

    Args:
        method: the version, its options and the updates.
        network: a folded float network.
        policy: bits of its layers.
        calibration: the pictures.

    Raises:
        UserError: the policy names layers the network has not, or a picture is too small.
    """
    bits = method.body_bits(network, policy)
    if method.iterations:
        scale = int(network.scale())
        pictures = Pictures.of(calibration.images, scale, "calibration")
        schedule = short_schedule(method.iterations, pictures)
        return learned_on(method, network, policy, pictures, schedule, tell=calibration.tell)
    starts = observe_inputs(network, tuple(bits), tensors_of(calibration.images))
    schedule = Schedule(iterations=0)
    learner = OdmLearner(network, method.settings, bits, starts, schedule, _no_batch)
    return _learned(method, learner, network, policy, {})


def learned_on(
    method: Odm,
    network: FloatNetwork,
    policy: BitPolicy,
    pictures: Pictures,
    schedule: Schedule,
    checkpoint: Path | None = None,
    tell: Told | None = None,
) -> Learned:
    """See `quant.methods.learning.training.LearningMethod.learn`."""
    bits = method.body_bits(network, policy)

    def batch(iteration: int) -> tuple[Tensor, Tensor]:
        return pictures.batch(
            iteration, seed=schedule.seed, batch=schedule.batch, patch=schedule.patch
        )

    starts = observe_inputs(
        network, tuple(bits), starting_batches(schedule, batch, CALIBRATION_PATCHES)
    )
    learner = OdmLearner(network, method.settings, bits, starts, schedule, batch)
    identity = {
        "method": method.variant,
        "policy": policy.to_yaml(),
        "network": fingerprint(network),
        "pictures": pictures.sha256,
        **{name: str(getattr(schedule, name)) for name in Schedule.__slots__},
    }
    learn(learner, identity, checkpoint, tell)
    return _learned(method, learner, network, policy, learner.record())


def _learned(
    method: Odm,
    learner: OdmLearner,
    network: FloatNetwork,
    policy: BitPolicy,
    record: Mapping[str, object],
) -> Learned:
    return Learned(
        learner.tensors(), method.variant, policy.to_yaml(), fingerprint(network), record
    )


def _no_batch(_iteration: int) -> tuple[Tensor, Tensor]:
    raise AssertionError("there are no updates")
