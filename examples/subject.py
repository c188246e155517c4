"""What the studies share: a network ready to be quantized, pictures to judge on, a machine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from accelerators import Accelerator, EnergyModel, load_energy_table
from hwsim.search import Pictures
from quant.graph import Graph
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import bicubic_downscale, calibration_photographs, sample_photograph
from quant.imaging.data_sets import open_data_set
from quant.methods import encoder
from quant.networks import load_network, network_config
from quant.networks.inference import enlarge
from quant.policy import BitPolicy

Pixels = NDArray[np.uint8]

CROP_PIXELS = 48


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture no search has seen.

    Attributes:
        name: its name.
        low: uint8 [height, width, 3].
        high: uint8, the original.
    """

    name: str
    low: Pixels
    high: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A float network and its quantizer.

    Attributes:
        network: in torch.
        scale: what it enlarges by.
        quantize: from a policy to the integer graph.
    """

    network: nn.Module
    scale: int
    quantize: Callable[[BitPolicy], AnyGraph]

    def graph(self, policy: BitPolicy) -> Graph:
        """The integer graph of a policy, of a method with fixed bits."""
        graph = self.quantize(policy)
        assert isinstance(graph, Graph)
        return graph


def load_subject(name: str, method: str = "minmax") -> Subject:
    """A network with the weights that come with the program, calibrated on shipped photographs."""
    network, scale = load_network(name, None, None), network_config(name).scale
    encode = encoder(network, method, calibration_photographs(scale), name, _nothing, "half_up")
    return Subject(network, scale, lambda policy: encode(policy).graph())


def search_pictures(subject: Subject) -> Pictures:
    """The middle of each shipped photograph, and what the float network makes of it."""
    crops = [_middle(photograph) for photograph in calibration_photographs(scale=1)]
    return Pictures(
        [crop.astype(np.int32) for crop in crops],
        [enlarge(subject.network, crop) for crop in crops],
    )


def held_out(folder: Path | None, scale: int) -> list[Picture]:
    """A data set's pictures; without a folder the one shipped photograph nothing is tuned on."""
    if folder is None:
        high = sample_photograph("astronaut")
        return [Picture("astronaut", bicubic_downscale(high, scale), high)]
    pairs = [
        (entry.high.stem, entry.read(scale)) for entry in open_data_set(folder, scale).pictures
    ]
    return [Picture(name, low, high) for name, (low, high) in pairs]


def priced(accelerator: Accelerator) -> EnergyModel:
    """A machine under its own energy table."""
    return EnergyModel(accelerator, load_energy_table(accelerator.energy_table))


def _middle(photograph: Pixels) -> Pixels:
    top, left = ((side - CROP_PIXELS) // 2 for side in photograph.shape[:2])
    return photograph[top : top + CROP_PIXELS, left : left + CROP_PIXELS]


def _nothing(*_: object) -> None:
    """Calibration tells nobody how far it is."""
