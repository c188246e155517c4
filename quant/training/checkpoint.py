"""The state of a run on disk: written whole or not at all, read back to the last bit."""

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from quant.common.errors import UserError
from quant.common.files import atomic_output, read_bytes
from quant.networks.registry import network_config
from quant.networks.torch_files import UnreadableError, load_plain
from quant.training.config import TrainingConfig
from quant.training.state import TrainingState

_FORMAT = 2
# Changing one of these in the middle of a run would give weights no single command can explain.
_FIXED_SETTINGS = (
    "network", "batch", "patch", "learning_rate", "warmup", "ema_decay", "gradient_clip", "seed",
)  # fmt: skip


def save_checkpoint(
    path: Path,
    state: TrainingState,
    config: TrainingConfig,
    *,
    images_sha256: str,
    provenance: Mapping[str, object],
) -> None:
    """Write the state of a run; what stood at ``path`` before survives any failure.

    Args:
        path: the checkpoint file.
        state: what to write.
        config: the run.
        images_sha256: ``patches.fingerprint`` of the training pictures.
        provenance: what ``run_provenance`` tells of the run.

    Raises:
        UserError: the file cannot be written, for want of space for instance.
    """
    content = {
        "format": _FORMAT,
        "shape": asdict(network_config(config.network)),
        "settings": {name: getattr(config, name) for name in _FIXED_SETTINGS},
        "initial_weights": None if state.initial_weights is None else asdict(state.initial_weights),
        "images": [folder.name for folder in config.images],
        "images_sha256": images_sha256,
        "provenance": dict(provenance),
        "iteration": state.iteration,
        "elapsed_seconds": state.elapsed_seconds,
        "psnr_history": state.psnr_history,
        "validation": None if config.validation is None else config.validation.parts[-2:],
        "network": state.network.state_dict(),
        "average": state.average.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in state.optimizers],
        "random_state": torch.get_rng_state(),
    }
    # Serialised in memory first: torch reports a full disk as a RuntimeError without a reason.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_output(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint file, on the CPU.

    Raises:
        UserError: the file is missing, damaged or no checkpoint.
    """
    content = read_bytes(path, "checkpoint")
    try:
        loaded = load_plain(content)
    except UnreadableError as error:
        raise _no_checkpoint(path) from error
    if not isinstance(loaded, dict) or loaded.get("format") != _FORMAT:
        raise _no_checkpoint(path)
    return loaded


def resume(path: Path, state: TrainingState, config: TrainingConfig, images_sha256: str) -> None:
    """Bring a fresh state to where a checkpoint left off.

    Args:
        path: the checkpoint.
        state: changed in place.
        config: the run as asked for now; it must equal the checkpoint's wherever the weights
            depend on it.
        images_sha256: ``patches.fingerprint`` of the pictures given now.

    Raises:
        UserError: no checkpoint, another architecture, other settings or other pictures.
    """
    saved = read_checkpoint(path)
    _check_same_run(path, saved, state, config, images_sha256)
    state.network.load_state_dict(saved["network"])
    state.average.load_state_dict(saved["average"])
    for optimizer, content in zip(state.optimizers, saved["optimizers"], strict=True):
        optimizer.load_state_dict(content)
    state.iteration = saved["iteration"]
    state.elapsed_seconds = saved["elapsed_seconds"]
    state.psnr_history = [(iteration, psnr) for iteration, psnr in saved["psnr_history"]]
    torch.set_rng_state(saved["random_state"])


def _check_same_run(
    path: Path,
    saved: dict[str, Any],
    state: TrainingState,
    config: TrainingConfig,
    images_sha256: str,
) -> None:
    expected: dict[str, object] = {name: getattr(config, name) for name in _FIXED_SETTINGS}
    given = dict(saved["settings"])
    expected["network shape"] = asdict(network_config(config.network))
    given["network shape"] = saved["shape"]
    initial = state.initial_weights
    expected["initial weights"] = None if initial is None else initial.sha256
    given["initial weights"] = (saved.get("initial_weights") or {}).get("sha256")
    expected["images_sha256"], given["images_sha256"] = images_sha256, saved["images_sha256"]
    for name, value in expected.items():
        if given.get(name) != value:
            raise UserError(
                f"{path}: the checkpoint is of another run: expected {name} {value}, found "
                f"{given.get(name)}; repeat the first command's settings or choose another "
                "output folder"
            )


def _no_checkpoint(path: Path) -> UserError:
    return UserError(
        f"{path}: expected a training checkpoint, found a damaged file or one of another kind; "
        "move it away to start afresh"
    )
