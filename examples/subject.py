"""What the studies share: a network ready to be quantized, pictures no search has seen, prices."""

from functools import partial
from pathlib import Path

from accelerators import Accelerator, EnergyModel, load_energy_table
from hwsim.cli.subject import FloatSubject
from hwsim.compare.pictures import JudgedPicture, read_picture_set
from hwsim.identity import arrays_identity
from quant.graph import Graph
from quant.imaging import bicubic_downscale, calibration_photographs, sample_photograph
from quant.imaging.samples import DEFAULT_SAMPLE
from quant.methods import encoder
from quant.networks import load_network, network_config
from quant.policy import BitPolicy


def load_subject(name: str, method: str = "minmax") -> FloatSubject:
    """A network with the weights that come with the program, calibrated on shipped photographs."""
    from quant.networks.inference import enlarge

    network, scale = load_network(name, None, None), network_config(name).scale
    encode = encoder(network, method, calibration_photographs(scale), name, _nothing, "half_up")
    return FloatSubject(partial(enlarge, network), scale, encode)


def fixed_graph(subject: FloatSubject, policy: BitPolicy) -> Graph:
    """The integer graph of a policy, of a method with fixed bits."""
    graph = subject.quantize(policy)
    assert isinstance(graph, Graph)
    return graph


def held_out(folder: Path | None, scale: int) -> list[JudgedPicture]:
    """A data set's pictures; without a folder the one shipped photograph nothing is tuned on."""
    if folder is not None:
        return list(read_picture_set([folder], scale).pictures)
    high = sample_photograph(DEFAULT_SAMPLE)
    low = bicubic_downscale(high, scale)
    return [JudgedPicture("shipped", DEFAULT_SAMPLE, low, high, arrays_identity((low, high)))]


def priced(accelerator: Accelerator) -> EnergyModel:
    """A machine under its own energy table."""
    return EnergyModel(accelerator, load_energy_table(accelerator.energy_table))


def _nothing(*_: object) -> None:
    """Calibration tells nobody how far it is."""
