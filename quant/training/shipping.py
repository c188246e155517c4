"""From trained weights to the file that comes with the package."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from quant.common.errors import UserError
from quant.imaging.data_sets import open_data_set
from quant.imaging.evaluation import evaluate
from quant.networks.inference import super_resolve
from quant.networks.registry import load_network, network_config
from quant.networks.weights import read_provenance, save_weights

WHEEL_BUDGET_BYTES = 40_000_000
"""Most that all weights in the package may take: what a wheel is still quick to install with."""

MAXIMUM_LOSS_DB = 0.005
"""Most PSNR that shipped weights may differ by from the trained ones: a hundredth rounds to it."""


@dataclass(frozen=True, slots=True)
class ShippedWeights:
    """A weights file fit for the package.

    Attributes:
        path: the file, its weights in float16.
        size_bytes: what it takes.
        trained_psnr_db: mean luma PSNR of the trained weights on the validation pictures.
        shipped_psnr_db: that of the weights in the file.
    """

    path: Path
    size_bytes: int
    trained_psnr_db: float
    shipped_psnr_db: float

    @property
    def change_db(self) -> float:
        """What halving the precision did; negative is a loss."""
        return self.shipped_psnr_db - self.trained_psnr_db


def ship_weights(network: str, trained: Path, path: Path, validation: Path) -> ShippedWeights:
    """Write trained weights in float16, keep their provenance, and measure what that did.

    The provenance gains ``file_precision`` and ``file_psnr_change_db``.

    Args:
        network: a name in the registry.
        trained: the file ``train`` wrote.
        path: the file to write, usually ``quant/networks/weights/<network>.safetensors``.
        validation: a data set to measure on (see `open_data_set`).

    Raises:
        UserError: a file or folder is unfit, or PSNR changes by more than ``MAXIMUM_LOSS_DB``; then
            nothing is written.
    """
    original = load_network(network, trained)
    provenance = read_provenance(trained) | {"file_precision": "float16"}
    with TemporaryDirectory() as folder:  # what stands at the path stays until all is well
        attempt = Path(folder) / "weights.safetensors"
        save_weights(attempt, original, provenance, precision="float16")
        halved = load_network(network, attempt)
    scale = network_config(network).scale
    means = {
        "trained": partial(super_resolve, original),
        "shipped": partial(super_resolve, halved),
    }
    quality = evaluate(open_data_set(validation, scale), means, scale)
    trained_db, shipped_db = (quality.mean(name).psnr_db for name in ("trained", "shipped"))
    if abs(shipped_db - trained_db) > MAXIMUM_LOSS_DB:
        raise UserError(
            f"{trained}: expected float16 weights to change PSNR by at most {MAXIMUM_LOSS_DB} dB, "
            f"they change it by {shipped_db - trained_db:+.4f} dB; ship float32 weights"
        )
    provenance["file_psnr_change_db"] = round(shipped_db - trained_db, 5)
    save_weights(path, original, provenance, precision="float16")
    return ShippedWeights(path, path.stat().st_size, trained_db, shipped_db)


def average_weights(network: str, files: Sequence[Path], path: Path) -> None:
    """Write the mean of several weights files of one network.

    Where runs start from one another, the mean is often better than each (Wortsman et al., "Model
    soups", ICML 2022, arXiv 2203.05482). The provenance is the first file's, with those of the
    others under ``averaged_with``.

    Args:
        network: a name in the registry.
        files: weights files, at least one.
        path: the file to write.

    Raises:
        UserError: a file is unfit, or ``path`` cannot be written.
    """
    networks = [load_network(network, file) for file in files]
    states = [one.state_dict() for one in networks]
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(value.dtype)
        for name, value in states[0].items()
    }
    networks[0].load_state_dict(mean)
    first, *others = [read_provenance(file) for file in files]
    save_weights(path, networks[0], first | {"averaged_with": others})
