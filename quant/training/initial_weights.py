"""Starting a run from the weights of another network instead of random ones."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from quant.common.errors import UserError
from quant.common.files import read_bytes
from quant.networks.foreign import recognise_layout
from quant.networks.weights import read_provenance, read_state

_NAMED = 3  # tensors named in a sentence; the others are counted


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """What a run started from.

    Attributes:
        file: name of the weights file.
        sha256: of its content.
        taken: how many tensors of the network it filled.
        left: names of the tensors it had nothing for, which stayed random.
        provenance: how those weights were made, as their file tells; empty where it does not.
    """

    file: str
    sha256: str
    taken: int
    left: tuple[str, ...]
    provenance: dict[str, object]

    def __str__(self) -> str:
        more = ", …" if len(self.left) > _NAMED else ""
        named = f" ({', '.join(self.left[:_NAMED])}{more})" if self.left else ""
        return f"{self.taken} tensors of {self.file}, {len(self.left)} at random{named}"


def take_fitting(network: nn.Module, path: Path) -> InitialWeights:
    """Fill a network with every tensor of a file whose name and shape fit.

    What EDSR's authors do for x3 and x4, which they start from x2 (arXiv 1707.02921, section 3.2).

    Args:
        network: changed in place.
        path: a weights file, of this project or published by others (see ``load_weights``).

    Raises:
        UserError: the file cannot be read, or no trained tensor of it fits.
    """
    given = recognise_layout(read_state(path))
    wanted = network.state_dict()
    fitting = {
        name: value
        for name, value in given.items()
        if name in wanted and wanted[name].shape == value.shape
    }
    trained = {name for name, value in network.named_parameters() if value.requires_grad}
    if not trained & fitting.keys():
        raise UserError(
            f"{path}: expected weights that share tensors with the network to train, found none of "
            "the same name and shape; give weights of a network of the same family"
        )
    with torch.no_grad():
        network.load_state_dict(fitting, strict=False)
    left = tuple(name for name in wanted if name not in fitting)
    sha256 = hashlib.sha256(read_bytes(path, "weights")).hexdigest()
    provenance = read_provenance(path) if path.suffix == ".safetensors" else {}
    return InitialWeights(path.name, sha256, len(fitting), left, provenance)
