"""A network that is compared, loaded and calibrated when it is first needed."""

import hashlib
from argparse import Namespace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.float_source import SEED_WHEN_NONE_SHIPPED, Enlarge
from hwsim.cli.messages import Messages
from hwsim.cli.subject import FloatSubject, calibrated, open_float, read_pictures, rounded
from hwsim.compare import NetworkEntry
from hwsim.compare.alternatives import Adaptive
from hwsim.compare.request import RealNetwork
from hwsim.identity import arrays_identity, digest
from quant.common.files import read_bytes
from quant.graph import Graph
from quant.methods.learning.learned import shipped_files
from quant.networks import network_names
from quant.networks.registry import shipped_weights
from quant.policy import BitPolicy

Pixels = NDArray[np.uint8]

_REMEMBERED = 4
"""Calibrations of a network kept in memory."""


def compared_network(
    name: str,
    weights: Path | None,
    calibration: Path | None,
    pixel_range: float | None,
    messages: Messages,
    *,
    fake: bool = False,
) -> NetworkEntry:
    """A network by name or from a file; nothing slow is done yet.

    Args:
        name: of the network, or a file with a float network.
        weights: its weights; None takes the shipped ones, or random ones where there are none.
        calibration: folder of the pictures that methods look at; None takes the shipped ones.
        pixel_range: of ``--pixel-range``, for networks in files.
        messages: told what takes time.
        fake: whether pictures are also computed in the method's codes, but in real numbers.

    Raises:
        UserError: no such network, or a file or folder that cannot be read.
    """
    is_file = name not in network_names()
    file = Path(name) if is_file else weights or shipped_weights(name)
    arguments = {
        "network": name,
        "weights": weights,
        "calibration": calibration,
        "random_weights": SEED_WHEN_NONE_SHIPPED if file is None else None,
        "pixel_range": pixel_range if is_file else None,
    }
    subject = _Subjects(arguments, messages)
    content = b"" if file is None else read_bytes(file, "weights")
    identity = digest(
        hashlib.sha256(content).hexdigest(),
        f"{pixel_range}" if is_file else _learned_identity(name),
        _pictures_identity(calibration),
    )
    return NetworkEntry(
        name=subject.source.name,
        scale=subject.source.scale,
        weights="of the file" if is_file else _words(weights, file),
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

    def __init__(self, arguments: dict[str, Any], messages: Messages) -> None:
        self._arguments = arguments
        self._messages = messages
        self.source = open_float(Namespace(**arguments), messages)
        # Rows follow one another by method, but machines of one row may round differently.
        self._subject = lru_cache(maxsize=_REMEMBERED)(self._load)

    def _load(self, method: str | None, rounding: str | None) -> FloatSubject:
        arguments = Namespace(**self._arguments, method=method, rounding=rounding)
        return calibrated(self.source, arguments, self._messages)

    def quantize(self, method: str, policy: BitPolicy, rounding: str) -> Graph | Adaptive:
        """The network in integers."""
        return self._subject(method, rounding).quantize(policy)

    def fake_quantize(self, method: str, policy: BitPolicy, rounding: str) -> RealNetwork:
        """The network in the same codes, computed in float64."""
        return self._subject(method, rounding).encode(policy).execution()

    def enlarge(self, image: Pixels) -> Pixels:
        """The float network on a picture."""
        return rounded(self._enlarge, image)

    @cached_property
    def _enlarge(self) -> Enlarge:
        return self.source.load()[1]
