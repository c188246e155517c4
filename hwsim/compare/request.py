"""What a comparison is asked: networks, methods, bit policies, machines, pictures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from accelerators import EnergyModel
from hwsim.compare.alternatives import Adaptive
from hwsim.compare.pictures import PictureSet
from hwsim.fidelity import Oracle
from quant.graph import Graph, Size
from quant.policy import BitPolicy

Enlarge = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
Quantize = Callable[[str, BitPolicy, str], Graph | Adaptive]
"""From a method's name, a policy and a requantization mode to integers."""


class RealNetwork(Protocol):
    """A network in a method's codes, computed in real numbers."""

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture that comes out, uint8, height x width x colours."""
        ...

    def oracle(self, image: NDArray[np.uint8]) -> Oracle:
        """What computes the codes of the graph that an image runs."""
        ...


FakeQuantize = Callable[[str, BitPolicy, str], RealNetwork]

DEFAULT_SIZE = Size(180, 320)
"""Height and width of the input image that costs are counted for: a quarter, at ×4, of the picture
of 720×1280 that the literature counts operations for."""


@dataclass(frozen=True, slots=True)
class Combination:
    """One row of the table, but for its machine.

    Attributes:
        network: its name.
        method: its name, options included.
        policy: name of the bit policy.
    """

    network: str
    method: str
    policy: str

    def __str__(self) -> str:
        return f"{self.network}, {self.method}, {self.policy}"


@dataclass(frozen=True, slots=True, eq=False)
class NetworkEntry:
    """A network that is compared.

    Attributes:
        name: its name.
        scale: what it enlarges by.
        weights: where its weights come from, in a word or two.
        identity: hash of the weights and of what is calibrated on.
        trained: whether its pictures mean anything; costs do not depend on it.
        enlarge: the float network.
        quantize: makes integers of it.
        fake_quantize: takes what ``quantize`` takes and gives the same network with the same codes
            computed in real numbers; None where that is not asked for.
    """

    name: str
    scale: int
    weights: str
    identity: str
    trained: bool
    enlarge: Enlarge
    quantize: Quantize
    fake_quantize: FakeQuantize | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CompareRequest:
    """A comparison.

    Attributes:
        networks: what is quantized.
        methods: names of methods.
        policies: bit policies by name.
        machines: accelerators, priced.
        pictures: what quality is judged on, by scale; without any, only costs are compared.
        size: height and width of the input image that costs are counted for.
        rounding: requantization mode; None takes that of each machine's requantizer.
        check: a picture that every machine runs under every combination, to be compared bit by
            bit with the kernels; None runs none.
    """

    networks: tuple[NetworkEntry, ...]
    methods: tuple[str, ...]
    policies: Mapping[str, BitPolicy]
    machines: tuple[EnergyModel, ...]
    pictures: Mapping[int, PictureSet] = field(default_factory=dict)
    size: Size = DEFAULT_SIZE
    rounding: str | None = None
    check: NDArray[np.uint8] | None = None

    def rows(self) -> list[tuple[NetworkEntry, Combination, EnergyModel]]:
        """Every row of the table, in order."""
        return [
            (network, Combination(network.name, method, policy), machine)
            for network in self.networks
            for method in self.methods
            for policy in self.policies
            for machine in self.machines
        ]
