"""A network that is compared, loaded and calibrated when it is first needed."""

import hashlib
from argparse import Namespace
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.interruption import uninterrupted
from hwsim.cli.messages import Messages
from hwsim.cli.subject import (
    SEED_WHEN_NONE_SHIPPED,
    FloatSubject,
    load_float_subject,
    read_pictures,
)
from hwsim.compare import NetworkEntry
from hwsim.compare.alternatives import Adaptive
from hwsim.compare.request import RealNetwork
from hwsim.identity import arrays_identity, digest
from quant.common.files import read_bytes
from quant.graph import Graph
from quant.methods.learning.learned import shipped_files
from quant.networks import load_network, network_config
from quant.networks.registry import shipped_weights
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from torch import nn

Pixels = NDArray[np.uint8]

_REMEMBERED = 4
"""Calibrations of a network kept in memory."""


def compared_network(
    name: str,
    weights: Path | None,
    calibration: Path | None,
    messages: Messages,
    *,
    fake: bool = False,
) -> NetworkEntry:
    """A network by name; nothing slow is done yet.

    Args:
        name: of the network.
        weights: its weights; None takes the shipped ones, or random ones where there are none.
        calibration: folder of the pictures that methods look at; None takes the shipped ones.
        messages: told what takes time.
        fake: whether pictures are also computed in the method's codes, but in real numbers.

    Raises:
        UserError: no such network, or a file or folder that cannot be read.
    """
    file = weights or shipped_weights(name)
    content = b"" if file is None else read_bytes(file, "weights")
    identity = digest(
        hashlib.sha256(content).hexdigest(),
        _learned_identity(name),
        _pictures_identity(calibration),
    )
    subject = _Subjects(name, weights, calibration, messages, trained=file is not None)
    return NetworkEntry(
        name=name,
        scale=network_config(name).scale,
        weights=_words(weights, file),
        identity=identity,
        trained=file is not None,
        enlarge=subject.enlarge,
        quantize=subject.quantize,
        fake_quantize=subject.fake_quantize if fake else None,
    )


def _words(given: Path | None, file: Path | None) -> str:
    if given is not None:
        return given.name
    return "random" if file is None else "shipped"


def _learned_identity(name: str) -> str:
    """Hash of what methods learned on the network and the package holds."""
    files = [(path.name, path.read_bytes()) for path in shipped_files(name)]
    return digest(*(f"{file} {hashlib.sha256(content).hexdigest()}" for file, content in files))


def _pictures_identity(folder: Path | None) -> str:
    return "" if folder is None else arrays_identity(read_pictures(folder, "--calibration"))


class _Subjects:
    """The network under each method, calibrated once for all policies."""

    def __init__(
        self,
        name: str,
        weights: Path | None,
        calibration: Path | None,
        messages: Messages,
        *,
        trained: bool,
    ) -> None:
        self._arguments: dict[str, Any] = {
            "network": name,
            "weights": weights,
            "calibration": calibration,
            "random_weights": None if trained else SEED_WHEN_NONE_SHIPPED,
        }
        self._messages = messages
        # Rows follow one another by method, but machines of one row may round differently.
        self._subject = lru_cache(maxsize=_REMEMBERED)(self._load)

    def _load(self, method: str | None, rounding: str | None) -> FloatSubject:
        arguments = Namespace(**self._arguments, method=method, rounding=rounding)
        return load_float_subject(arguments, self._messages)

    def quantize(self, method: str, policy: BitPolicy, rounding: str) -> Graph | Adaptive:
        """The network in integers."""
        return self._subject(method, rounding).quantize(policy)

    def fake_quantize(self, method: str, policy: BitPolicy, rounding: str) -> RealNetwork:
        """The network in the same codes, computed in float64."""
        return self._subject(method, rounding).encode(policy).execution()

    def enlarge(self, image: Pixels) -> Pixels:
        """The float network on a picture."""
        from quant.networks.inference import super_resolve

        return super_resolve(self._network, image)

    @cached_property
    def _network(self) -> "nn.Module":
        with uninterrupted():
            import_module("torch")  # what follows needs it
        given = self._arguments
        return load_network(given["network"], given["weights"], given["random_weights"])
