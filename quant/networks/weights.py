"""Weights files: ours (safetensors with provenance), and the state dictionaries others publish."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import safetensors
import safetensors.torch
from torch import Tensor, nn

from quant.common.errors import UserError
from quant.common.files import atomic_output, read_bytes
from quant.networks.build import state_shapes
from quant.networks.edsr import EDSR
from quant.networks.fit import describe_misfit
from quant.networks.foreign import WRAPPERS, recognise_layout
from quant.networks.torch_files import UnreadableError, load_plain

_PROVENANCE_KEY = "provenance"
_COUNTER = "num_batches_tracked"

Precision = Literal["float32", "float16"]
"""How weights files hold tensors of two and more dimensions; the others are float32."""


def save_weights(
    path: Path,
    network: nn.Module,
    provenance: Mapping[str, object],
    precision: Precision = "float32",
) -> None:
    """Write a network's weights with a record of where they come from.

    In float16 files, half as large, biases, slopes and statistics stay float32: they are few, and
    larger than what float16 resolves finely.

    Args:
        path: the safetensors file, written whole or not at all.
        network: the module whose state is written.
        provenance: how the weights were made (command, seed, iterations, quality, …), anything
            JSON can hold; stored as one JSON string in the file's metadata.
        precision: of the weights in the file.

    Raises:
        UserError: the file cannot be written.
    """
    state = {
        name: _stored(value.detach(), precision).contiguous()
        for name, value in network.state_dict().items()
    }
    metadata = {_PROVENANCE_KEY: json.dumps(provenance, sort_keys=True)}
    content = safetensors.torch.save(state, metadata)
    with atomic_output(path) as temporary:
        temporary.write_bytes(content)


def _stored(value: Tensor, precision: Precision) -> Tensor:
    return value.half() if precision == "float16" and value.dim() >= 2 else value


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
    without running any code they might hold. Layouts of other code bases are converted by
    ``quant.networks.foreign``. Numbers of fewer bits are widened to the network's.

    Args:
        network: the module, changed in place; unchanged when an error is raised.
        path: the file.

    Raises:
        UserError: the file is missing, damaged, or holds another architecture's weights; the
            sentence names the network they fit, if one is known.
    """
    wanted = network.state_dict()
    state = recognise_layout(read_state(path))
    # Files of old versions of torch do not have this counter, which nothing depends on.
    counters = {name: wanted[name] for name in wanted if name.endswith(_COUNTER)}
    implied = network.implied_state() if isinstance(network, EDSR) else {}
    state = counters | ({} if implied.keys() & state.keys() else implied) | state
    misfit = describe_misfit(
        {name: tuple(value.shape) for name, value in wanted.items()},
        {name: tuple(value.shape) for name, value in state.items()},
    )
    if misfit:
        raise UserError(f"{path}: weights of another architecture: {misfit}; {_advice(state)}")
    network.load_state_dict(state)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name, as stored.

    A state dictionary that lies under one of ``foreign.WRAPPERS`` is unpacked.

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
        loaded = load_plain(content)
    except UnreadableError as error:
        raise _damaged(path, "torch state-dictionary") from error
    state = _unwrapped(loaded)
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise _damaged(path, "torch state-dictionary")
    return {str(name): value for name, value in state.items()}


def _unwrapped(loaded: object) -> object:
    if isinstance(loaded, dict):
        for key in WRAPPERS:
            if isinstance(loaded.get(key), dict):
                return loaded[key]
    return loaded


def _advice(state: Mapping[str, Tensor]) -> str:
    """What to do with weights that do not fit: the network they belong to, if there is one."""
    from quant.networks.registry import network_config, network_names  # imports this module

    given = {name: tuple(value.shape) for name, value in state.items()}
    for network in network_names():
        shapes = state_shapes(network_config(network))
        counters = {name: shape for name, shape in shapes.items() if name.endswith(_COUNTER)}
        if counters | given == shapes:
            return f"they fit network '{network}'"
    return "give the weights of this network or name the network they belong to"


def _damaged(path: Path, kind: str) -> UserError:
    return UserError(
        f"{path}: expected a {kind} file of weights, found a damaged file or one of another kind; "
        "copy or export it again"
    )
