"""Networks from names, files and torch, and what quantizes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from hwsim.api.machines import Machine, accelerator
from quant.common.errors import UserError, suggestion
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.graph import Graph
from quant.graph.adaptive import AdaptiveGraph
from quant.graph.adaptive_file import AnyGraph, load_any_graph
from quant.graph.serialization import SUFFIX
from quant.imaging import calibration_photographs, read_image
from quant.interchange.picture_ends import with_picture_ends
from quant.networks import load_network, network_names
from quant.networks.registry import shipped_weights
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from torch import nn

    from quant.methods import Encoder, QuantizationMethod

    Network: TypeAlias = str | Path | nn.Module | AnyGraph
    """A network's name, a file, a network in torch, or an integer graph."""

Pixels = NDArray[np.uint8]
_TFLITE = ".tflite"


class Quantization(TypedDict, total=False):
    """How a float network becomes integers; a graph is that already and takes none of these.

    Attributes:
        bits: ``w4a8`` and the like, a policy's name or file, or a policy.
        method: a name of ``names("methods")``, with its options, or a method.
        rounding: a name of ``names("roundings")``; without it, that of the accelerator.
        calibration: pictures that ranges are chosen on, uint8 [height, width, 3] each, or a folder
            of them; without them, photographs that come along, reduced.
        weights: a file of float weights; without it, those that come along.
        random_weights: a seed to draw weights from: for costs, not for pictures.
    """

    bits: str | Path | BitPolicy
    method: "str | QuantizationMethod"
    rounding: str
    calibration: str | Path | Sequence[Pixels]
    weights: str | Path
    random_weights: int


@dataclass(frozen=True, slots=True, eq=False)
class FloatNetwork:
    """A float network to be quantized.

    Attributes:
        name: what results call it.
        scale: what it enlarges by.
        module: the network in torch.
    """

    name: str
    scale: int
    module: "nn.Module"

    def enlarge(self, image: Pixels) -> Pixels:
        """What it makes of a picture, uint8 [height, width, 3] both."""
        from quant.networks.inference import super_resolve

        return super_resolve(self.module, image)


def load(
    network: str | Path,
    *,
    weights: str | Path | None = None,
    random_weights: int | None = None,
) -> "AnyGraph | nn.Module":
    """A network: in torch by its name, an integer graph from a file.

    Args:
        network: a name of ``names("networks")``, or a ``.hwgraph`` or ``.tflite`` file.
        weights: of a network with a name, a file; without it, those that come along.
        random_weights: a seed to draw them from instead.

    Raises:
        UserError: there is no such network or file, or its weights do not fit.
    """
    name = str(network)
    if name in network_names():
        return load_network(name, None if weights is None else Path(weights), random_weights)
    if not _is_file(name):
        raise UserError(
            f"network '{name}': expected a known network or a file ({SUFFIX}, {_TFLITE}); "
            + suggestion(name, network_names())
        )
    if weights is not None or random_weights is not None:
        raise UserError(f"{name} has weights of its own; leave out weights and random_weights")
    return _file_graph(Path(name))


def quantize(
    network: "str | Path | nn.Module",
    *,
    accelerator: Machine | None = None,
    name: str | None = None,
    **quantization: Unpack[Quantization],
) -> AnyGraph:
    """The integer graph of a float network, or those that an image chooses among.

    Args:
        network: a network's name, or a network in torch that takes and gives N x 3 x H x W.
        accelerator: whose rounding is taken where none is given.
        name: what results call a network in torch; without it, the name of its class.
        quantization: see `Quantization`.

    Raises:
        UserError: there is no such network, it cannot be lowered, or method, policy, pictures or
            weights do not fit.
    """
    source = float_network(network, name=name, **quantization)
    return encoded(source, accelerator, **quantization)(policy_of(quantization)).graph()


def float_network(
    network: "Network", *, name: str | None = None, **quantization: Unpack[Quantization]
) -> FloatNetwork:
    """A float network by name or as it is.

    Raises:
        UserError: there is none of this name, or it is quantized already.
    """
    weights, seed = quantization.get("weights"), quantization.get("random_weights")
    if isinstance(network, Graph | AdaptiveGraph):
        raise UserError(f"graph '{network.name}' is quantized already; give the float network")
    if isinstance(network, str | Path):
        loaded = load(network, weights=weights, random_weights=seed)
        if isinstance(loaded, Graph | AdaptiveGraph):
            raise UserError(f"{network} is quantized already; give the float network")
        return FloatNetwork(str(network), _scale(loaded, str(network)), loaded)
    if weights is not None or seed is not None:
        raise UserError(
            "a network in torch has weights of its own; leave out weights and random_weights"
        )
    called = name or type(network).__name__.lower()
    return FloatNetwork(called, _scale(network, called), network)


def integer_graph(
    network: "Network",
    machine: Machine,
    *,
    costs_only: bool = False,
    **quantization: Unpack[Quantization],
) -> tuple[AnyGraph, FloatNetwork | None]:
    """The graph of a network, and the float network it was made from, if it was made here.

    Args:
        network: a graph, or what `quantize` takes.
        machine: whose rounding is taken where none is given.
        costs_only: takes random weights of a network whose trained ones do not come along: what
            is asked does not depend on them.
        quantization: see `Quantization`.

    Raises:
        UserError: as `load` and `quantize`, or quantization is given for a graph.
    """
    graph = network
    if isinstance(network, str | Path) and str(network) not in network_names():
        graph = cast("AnyGraph", load(network))
    if isinstance(graph, Graph | AdaptiveGraph):
        if quantization:
            given = ", ".join(quantization)
            raise UserError(f"graph '{graph.name}' is quantized already; leave out {given}")
        return graph, None
    if costs_only and isinstance(network, str | Path) and not _has_weights(network, quantization):
        quantization["random_weights"] = 0
    source = float_network(network, **quantization)
    return encoded(source, machine, **quantization)(policy_of(quantization)).graph(), source


def encoded(
    source: FloatNetwork, machine: Machine | None, **quantization: Unpack[Quantization]
) -> "Encoder":
    """From policies to a network in codes; traced and calibrated once.

    Raises:
        UserError: the network cannot be lowered, or method, rounding or pictures do not fit.
    """
    from quant.methods import encoder

    rounding = quantization.get("rounding")
    if rounding is None:
        rounding = DEFAULT_MODE if machine is None else accelerator(machine).requantizer.rounding
    return encoder(
        source.module,
        quantization.get("method", "minmax"),
        _calibration_pictures(quantization.get("calibration"), source.scale),
        source.name,
        rounding=mode_named(rounding).name,
    )


def policy_of(quantization: Quantization) -> BitPolicy:
    """The policy asked for; 8 bits everywhere if none is.

    Raises:
        UserError: there is no such policy.
    """
    bits = quantization.get("bits", "w8a8")
    return bits if isinstance(bits, BitPolicy) else BitPolicy.load(bits)


def read_pictures(folder: str | Path) -> list[Pixels]:
    """Every picture in a folder, in the order of their names.

    Raises:
        UserError: there is no such folder, it is empty, or a file in it is no picture.
    """
    path = Path(folder)
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else []
    if not files:
        raise UserError(f"{folder}: expected a folder of pictures, found none; check the path")
    return [read_image(file) for file in files]


def _calibration_pictures(
    given: str | Path | Sequence[Pixels] | None, scale: int
) -> Sequence[Pixels]:
    if given is None:
        return calibration_photographs(scale)
    return read_pictures(given) if isinstance(given, str | Path) else given


def _scale(module: "nn.Module", name: str) -> int:
    """What a network enlarges by: as its configuration says, else as its operators do."""
    told = getattr(getattr(module, "config", None), "scale", None)
    if isinstance(told, int):
        return told
    from quant.lowering.trace import trace

    scale = trace(module, name).scale()
    if scale.denominator != 1:
        raise UserError(
            f"network '{name}': expected one that enlarges by a whole number, found {scale}; "
            "give a super-resolution network"
        )
    return int(scale)


def _is_file(name: str) -> bool:
    return name.endswith((SUFFIX, _TFLITE)) or "/" in name or Path(name).exists()


def _file_graph(path: Path) -> AnyGraph:
    if path.suffix != _TFLITE:
        return load_any_graph(path)
    try:
        from quant.interchange.tflite_reader import read_tflite
    except ModuleNotFoundError as error:
        raise UserError(
            f"{path}: reading TensorFlow Lite files needs '{error.name}', which is not installed; "
            "pip install 'hwsim[verify]'"
        ) from error
    return with_picture_ends(read_tflite(path))


def _has_weights(network: str | Path, quantization: Quantization) -> bool:
    given = "weights" in quantization or "random_weights" in quantization
    return given or shipped_weights(str(network)) is not None
