"""From a checkpoint to a weights file with its provenance."""

from datetime import UTC, datetime
from pathlib import Path

from quant.networks.registry import load_network
from quant.networks.weights import save_weights
from quant.training.checkpoint import read_checkpoint


def export_weights(checkpoint: Path, path: Path) -> None:
    """Write the averaged weights of a checkpoint, with a record of how they were made.

    The record names the settings, what the run started from, the steps and the seconds trained, the
    names of the picture folders and the SHA-256 of their pixels, the last judgement, the date of
    the export and what ``run_provenance`` tells.

    Args:
        checkpoint: a file ``train`` wrote, of a finished run or of one under way.
        path: the safetensors file.

    Raises:
        UserError: the checkpoint cannot be read or the file cannot be written.
    """
    saved = read_checkpoint(checkpoint)
    settings = saved["settings"]
    network = load_network(settings["network"], random_seed=0)
    network.load_state_dict(saved["average"])
    history = saved["psnr_history"]
    validation = saved["validation"]
    provenance = {
        "command": f"hwsim train {settings['network']}",
        **settings,
        "iterations": saved["iteration"],
        "elapsed_seconds": round(saved["elapsed_seconds"], 1),
        "initial_weights": saved.get("initial_weights"),
        "images": saved["images"],
        "images_sha256": saved["images_sha256"],
        "validation": None if validation is None else "/".join(validation),
        "psnr_iteration": history[-1][0] if history else None,
        "psnr_db": round(history[-1][1], 4) if history else None,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **saved["provenance"],
    }
    save_weights(path, network, provenance)
