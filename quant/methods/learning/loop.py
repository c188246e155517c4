"""The loop of methods that learn: resumable, interruptible, the same bits either way."""

import io
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from quant.common.errors import UserError
from quant.common.files import atomic_output, read_bytes
from quant.networks.torch_files import UnreadableError, load_plain
from quant.training.interruption import deferred_signals

_CHECKPOINT_SECONDS = 60.0
_FORMAT = 1

Told = Callable[[int, int, float], None]
"""Called now and then with the updates done, all updates, and the last loss."""


class Learner(Protocol):
    """What a method learns with. All that changes between updates is in its state."""

    iterations: int
    """Updates in all."""

    def step(self, iteration: int) -> Tensor:
        """Do one update, which depends on the iteration and the state alone; returns the loss."""
        ...

    def state(self) -> dict[str, Any]:
        """Tensors, numbers and containers of them: parameters, optimizers, counters."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Bring back what `state` gave."""
        ...


def learn(
    learner: Learner,
    identity: Mapping[str, str],
    checkpoint: Path | None = None,
    tell: Told | None = None,
) -> None:
    """Do all updates, or those that a checkpoint has not.

    Ctrl-C or a polite kill writes the checkpoint first. On one machine with one thread count, an
    interrupted run ends with the same bits as one that was not.

    Args:
        learner: what learns, in its first state.
        identity: text that says which run it is; a checkpoint of another one is refused.
        checkpoint: where the state is kept between calls; None keeps none.
        tell: told of the progress.

    Raises:
        UserError: the checkpoint is of another run or damaged, the disk is full, or the loss is
            no longer finite.
        KeyboardInterrupt: Ctrl-C, after the checkpoint is written.
        SystemExit: a polite kill, likewise.
    """
    done = 0
    if checkpoint is not None and checkpoint.exists():
        done = _resume(checkpoint, learner, identity)
    saved = time.monotonic()
    with deferred_signals() as stop:
        while done < learner.iterations:
            loss = learner.step(done)
            done += 1
            due = time.monotonic() - saved >= _CHECKPOINT_SECONDS
            stopping = stop.signal_number is not None
            if checkpoint is not None and (due or stopping):
                _save(checkpoint, learner, identity, done)
                saved = time.monotonic()
            if stopping:
                stop.obey()
            if tell is not None:
                tell(done, learner.iterations, _finite(loss, done))
    if checkpoint is not None:
        _save(checkpoint, learner, identity, done)


def _finite(loss: Tensor, iteration: int) -> float:
    value = float(loss)
    if value != value or value in (float("inf"), float("-inf")):
        raise UserError(
            f"learning diverged at update {iteration}: expected a finite loss, got {value}; "
            "lower the learning rate or give more bits"
        )
    return value


def _save(path: Path, learner: Learner, identity: Mapping[str, str], done: int) -> None:
    content = {
        "format": _FORMAT, "identity": dict(identity), "done": done, "state": learner.state(),
    }  # fmt: skip
    buffer = io.BytesIO()  # torch reports a full disk as a RuntimeError without a reason
    torch.save(content, buffer)
    with atomic_output(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def _resume(path: Path, learner: Learner, identity: Mapping[str, str]) -> int:
    content = read_bytes(path, "checkpoint")
    try:
        saved = load_plain(content)
    except UnreadableError:
        saved = None
    if not isinstance(saved, dict) or saved.get("format") != _FORMAT or "identity" not in saved:
        raise UserError(
            f"{path}: expected a checkpoint of a quantization method, found a damaged file or one "
            "of another kind; move it away to start afresh"
        )
    for name, expected in identity.items():
        found = saved["identity"].get(name)
        if found != expected:
            raise UserError(
                f"{path}: the checkpoint is of another run: expected {name} {expected}, found "
                f"{found}; repeat the first command's settings or choose another output folder"
            )
    learner.restore(saved["state"])
    return int(saved["done"])
