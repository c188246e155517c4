"""Weights files: ours (safetensors with provenance), and the state dictionaries others publish."""

import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from quant.common.errors import UserError
from quant.common.files import atomic_output, read_bytes
from quant.networks.foreign import recognise_layout

UNREADABLE = (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError)
"""What ``torch.load`` raises, by version and kind of damage, for a file it cannot read."""

_PROVENANCE_KEY = "provenance"


def save_weights(path: Path, network: nn.Module, provenance: Mapping[str, object]) -> None:
    """Write a network's weights with a record of where they come from.

    Args:
        path: the safetensors file, written whole or not at all.
        network: the module whose state is written.
        provenance: how the weights were made (command, seed, iterations, quality, …), anything
            JSON can hold; stored as one JSON string in the file's metadata.

    Raises:
        UserError: the file cannot be written.
    """
    state = {name: value.detach().contiguous() for name, value in network.state_dict().items()}
    metadata = {_PROVENANCE_KEY: json.dumps(provenance, sort_keys=True)}
    content = safetensors.torch.save(state, metadata)
    with atomic_output(path) as temporary:
        temporary.write_bytes(content)


def read_provenance(path: Path) -> dict[str, object]:
    """What ``save_weights`` recorded in a file; empty for a file without a record.

    Raises:
        UserError: the file is missing or no safetensors file.
    """
    content = read_bytes(path, "weights")
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        record = json.loads(header.get("__metadata__", {}).get(_PROVENANCE_KEY, "{}"))
    except (ValueError, AttributeError) as error:
        raise _damaged(path, "safetensors") from error
    return dict(record)


def load_weights(network: nn.Module, path: Path) -> None:
    """Fill a network with the weights of a file.

    Files ending in ``.safetensors`` are read as such; all others as torch state dictionaries,
    without running any code they might hold. Layouts of other code bases are renamed by
    ``quant.networks.foreign``.

    Args:
        network: the module, changed in place; unchanged when an error is raised.
        path: the file.

    Raises:
        UserError: the file is missing, damaged, or holds another architecture's weights.
    """
    state = recognise_layout(read_state(path), pixel_range=255.0)
    _check_fit(network, state, path)
    network.load_state_dict(state)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name, as stored.

    Raises:
        UserError: the file is missing, damaged, or holds anything but tensors by name.
    """
    content = read_bytes(path, "weights")
    if path.suffix == ".safetensors":
        try:
            return safetensors.torch.load(content)
        except safetensors.SafetensorError as error:
            raise _damaged(path, "safetensors") from error
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise _damaged(path, "torch state-dictionary") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise _damaged(path, "torch state-dictionary")
    return {str(name): value for name, value in state.items()}


def _check_fit(network: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    wanted = network.state_dict()
    for name, value in wanted.items():
        if name not in state:
            raise _misfit(path, f"'{name}' of shape {tuple(value.shape)}", "none")
        if state[name].shape != value.shape:
            shape = tuple(state[name].shape)
            raise _misfit(path, f"'{name}' of shape {tuple(value.shape)}", f"shape {shape}")
    for name in sorted(state.keys() - wanted.keys()):
        raise _misfit(path, f"no tensor '{name}'", "one")


def _misfit(path: Path, expected: str, given: str) -> UserError:
    return UserError(
        f"{path}: weights of another architecture: expected {expected}, found {given}; "
        "give the weights of this network or name the network they belong to"
    )


def _damaged(path: Path, kind: str) -> UserError:
    return UserError(
        f"{path}: expected a {kind} file of weights, found a damaged file or one of another kind; "
        "copy or export it again"
    )
