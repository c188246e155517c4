"""``hwsim train --method``: what a method learns on folders of pictures, as a file."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from quant.common.errors import UserError
from quant.lowering import FloatNetwork
from quant.methods.learning.learned import Learned, save_learned
from quant.methods.learning.loop import Told
from quant.methods.learning.pictures import Pictures
from quant.methods.learning.schedule import Schedule
from quant.policy import BitPolicy
from quant.training.provenance import commit

CHECKPOINT_NAME = "checkpoint.pt"


@runtime_checkable
class LearningMethod(Protocol):
    """A quantization method that learns parameters."""

    def learn(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        pictures: Pictures,
        schedule: Schedule,
        checkpoint: Path | None = None,
        tell: Told | None = None,
    ) -> Learned:
        """Learn the parameters of a network.

        Args:
            network: a folded float network.
            policy: bits of its layers.
            pictures: what is learned from.
            schedule: how long and how.
            checkpoint: where the state is kept, so that an interrupted run can go on.
            tell: told of the progress.

        Raises:
            UserError: the policy, the pictures or a checkpoint do not fit.
        """
        ...


def learning_method(method: object) -> LearningMethod:
    """A quantization method as one that learns.

    Raises:
        UserError: it does not.
    """
    if not isinstance(method, LearningMethod):
        raise UserError(
            f"method {method}: expected one that learns, such as odm-v2; leave out --method to "
            "train the float network"
        )
    return method


def learn_to_file(
    network: FloatNetwork,
    method: object,
    policy: BitPolicy,
    pictures: Pictures,
    schedule: Schedule,
    path: Path,
    tell: Told | None = None,
) -> Learned:
    """Learn, and write what was learned with its provenance.

    Args:
        network: a folded float network.
        method: a quantization method.
        policy: bits of its layers.
        pictures: what is learned from.
        schedule: how long and how.
        path: the file to write; a checkpoint lies beside it until then.
        tell: told of the progress.

    Raises:
        UserError: the method does not learn, or as `LearningMethod.learn`.
    """
    learning = learning_method(method)
    checkpoint = path.parent / CHECKPOINT_NAME
    started = time.monotonic()
    learned = learning.learn(network, policy, pictures, schedule, checkpoint, tell)
    record: dict[str, object] = {
        "command": f"hwsim train {network.name} --method {method} --bits {policy}",
        **{name: getattr(schedule, name) for name in Schedule.__slots__},
        "images": list(pictures.folders),
        "images_sha256": pictures.sha256,
        "seconds_of_last_part": round(time.monotonic() - started, 1),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
    }
    finished = replace(learned, provenance={**record, **learned.provenance})
    save_learned(path, finished)
    return finished
