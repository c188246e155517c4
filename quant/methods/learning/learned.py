"""What a method learned, on disk: tensors by name, and a record of how they came about."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from quant.common.errors import UserError
from quant.common.files import atomic_output, read_bytes
from quant.lowering import FloatNetwork
from quant.lowering.float_operators import FloatLayer, FloatPRelu, Reals
from quant.policy import BitPolicy

_KEY = "learned"
_SHIPPED = Path(__file__).parent.parent / "learned"

Tensors = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What a method learned on one network for one bit policy.

    Attributes:
        tensors: parameters by name, as the method names them.
        method: its name, without options that do not change what is learned.
        policy: the bit policy, as `BitPolicy.to_yaml` writes it.
        network: `fingerprint` of the float network.
        provenance: how it came about (updates, seconds, seed, pictures …), anything JSON can hold.
    """

    tensors: Tensors
    method: str
    policy: str
    network: str
    provenance: Mapping[str, object]


def fingerprint(network: FloatNetwork) -> str:
    """The start of the SHA-256 of a float network's layers and slopes: tells networks apart."""
    digest = hashlib.sha256()
    for node in network.nodes:
        constants: tuple[Reals, ...] = ()
        if isinstance(node.operator, FloatLayer):
            constants = (node.operator.weight, node.operator.bias)
        elif isinstance(node.operator, FloatPRelu):
            constants = (node.operator.slope,)
        digest.update(node.name.encode())
        for values in constants:
            digest.update(f" {values.shape}".encode())
            digest.update(np.ascontiguousarray(values, np.float32).data)
    return digest.hexdigest()[:32]


def save_learned(path: Path, learned: Learned, *, half: bool = False) -> None:
    """Write what was learned, whole or not at all.

    Args:
        path: the safetensors file.
        learned: what to write.
        half: whether tensors of two and more dimensions are written in float16.

    Raises:
        UserError: the file cannot be written.
    """
    tensors = {
        name: np.ascontiguousarray(value, np.float16 if half and value.ndim >= 2 else np.float32)
        for name, value in learned.tensors.items()
    }
    record = {
        "method": learned.method,
        "policy": learned.policy,
        "network": learned.network,
        "provenance": dict(learned.provenance),
    }
    content = safetensors.numpy.save(tensors, {_KEY: json.dumps(record, sort_keys=True)})
    with atomic_output(path) as temporary:
        temporary.write_bytes(content)


def load_learned(path: Path) -> Learned:
    """Read what `save_learned` wrote.

    Raises:
        UserError: the file is missing, damaged or of another kind.
    """
    content = read_bytes(path, "learned parameters")
    try:
        length = int.from_bytes(content[:8], "little")
        record = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_KEY])
        tensors = safetensors.numpy.load(content)
        return Learned(tensors, **record)
    except (ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise UserError(
            f"{path}: expected parameters that a quantization method learned, found a damaged file "
            "or one of another kind; make it with hwsim train --method"
        ) from error


def learned_file_name(network: str, method: str, policy: BitPolicy) -> str:
    """The usual name of a file of what a method learned.

    Args:
        network: name of the float network.
        method: name of the method.
        policy: bits of the network's layers.
    """
    bits = str(policy).replace("/", "_").replace(",", "").replace(" ", "_")
    return f"{network}_{method}_{bits}.safetensors"


def load_fitting(path: Path, network: FloatNetwork, method: str, policy: BitPolicy) -> Learned:
    """Read what was learned by a method on a network for a policy.

    Raises:
        UserError: as `load_learned` and `require_fitting`.
    """
    learned = load_learned(path)
    require_fitting(path, learned, network, method, policy)
    return learned


def shipped_files(network: str) -> tuple[Path, ...]:
    """The files of what methods learned on a network that come with the package."""
    return tuple(sorted(_SHIPPED.glob(f"{network}_*.safetensors")))


def shipped_learned(network: FloatNetwork, method: str, policy: BitPolicy) -> Learned | None:
    """What comes with the package for a network, a method and a policy, or None.

    Args:
        network: the float network, before the method changed it.
        method: the name in the file.
        policy: bits of its layers.
    """
    path = _SHIPPED / learned_file_name(network.name, method, policy)
    if not path.is_file():
        return None
    learned = load_learned(path)
    fits = learned.policy == policy.to_yaml() and learned.network == fingerprint(network)
    return learned if fits and learned.method == method else None


def require_fitting(
    path: Path, learned: Learned, network: FloatNetwork, method: str, policy: BitPolicy
) -> None:
    """Raises: UserError: parameters were learned by another method, on or for something else."""
    expected = {"method": method, "policy": policy.to_yaml(), "network": fingerprint(network)}
    for name, value in expected.items():
        found = getattr(learned, name)
        if found != value:
            raise UserError(
                f"{path}: expected parameters learned for {name} {value.strip()}, found "
                f"{str(found).strip()}; choose the method, bits and weights they were learned with"
            )
