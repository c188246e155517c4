"""Networks from names, files and torch, and what quantizes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from hwsim.api.machines import Machine, accelerator
from hwsim.api.model_files import DEFAULT_PIXEL_RANGE, KINDS, is_model_file, load_model_file
from quant.common.errors import UserError, suggestion
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.graph import Graph
from quant.graph.adaptive import AdaptiveGraph
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import calibration_photographs, read_image
from quant.lowering import FloatNetwork as Lowerable
from quant.networks import load_network, network_names
from quant.networks.registry import shipped_weights
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram

    from quant.methods import Encoder, QuantizationMethod

    FloatSource: TypeAlias = str | Path | nn.Module | ExportedProgram | Lowerable
    """A network's name, a file, or a float network: in torch, exported from it, or loaded."""
    Network: TypeAlias = FloatSource | AnyGraph
    """What can be quantized, or an integer graph."""

Pixels = NDArray[np.uint8]


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
        pixel_range: value of a white pixel, where a network has no name and takes real numbers;
            without it, 1 in files and exported programs, and 255 in torch.
    """

    bits: str | Path | BitPolicy
    method: "str | QuantizationMethod"
    rounding: str
    calibration: str | Path | Sequence[Pixels]
    weights: str | Path
    random_weights: int
    pixel_range: float


@dataclass(frozen=True, slots=True, eq=False)
class FloatNetwork:
    """A float network to be quantized.

    Attributes:
        name: what results call it.
        scale: what it enlarges by.
        network: in torch, or read from a file.
    """

    name: str
    scale: int
    network: "nn.Module | Lowerable"

    def enlarge(self, image: Pixels) -> NDArray[np.float32]:
        """What it makes of a picture, [height, width, 3] both, within 0 to 255."""
        if isinstance(self.network, Lowerable):
            from quant.lowering.execution import Execution

            return Execution(self.network).enlarge(image)
        from quant.networks.inference import enlarge

        return enlarge(self.network, image)

    def picture(self, image: Pixels) -> Pixels:
        """The same, rounded half to even."""
        return np.rint(self.enlarge(image)).astype(np.uint8)


def load(
    network: str | Path,
    *,
    weights: str | Path | None = None,
    random_weights: int | None = None,
    pixel_range: float | None = None,
) -> "AnyGraph | nn.Module | Lowerable":
    """A network: in torch by its name; from a file an integer graph, or a float network.

    Args:
        network: a name of ``names("networks")``, or a ``.hwgraph``, ``.tflite``, ``.onnx`` or
            ``.pt2`` file.
        weights: of a network with a name, a file; without it, those that come along.
        random_weights: a seed to draw them from instead.
        pixel_range: value of a white pixel where a file's network takes real numbers; without it,
            1.

    Raises:
        UserError: there is no such network or file, or its weights do not fit.
    """
    name = str(network)
    if name in network_names():
        if pixel_range is not None:
            raise UserError(
                f"network '{name}' knows what a white pixel is; leave out pixel_range, which is "
                "for networks in files"
            )
        return load_network(name, None if weights is None else Path(weights), random_weights)
    if not is_model_file(name):
        raise UserError(
            f"network '{name}': expected a known network or a file ({', '.join(KINDS)}); "
            + suggestion(name, network_names())
        )
    if weights is not None or random_weights is not None:
        raise UserError(f"{name} has weights of its own; leave out weights and random_weights")
    return load_model_file(Path(name), pixel_range)


def quantize(
    network: "FloatSource",
    *,
    accelerator: Machine | None = None,
    name: str | None = None,
    **quantization: Unpack[Quantization],
) -> AnyGraph:
    """The integer graph of a float network, or those that an image chooses among.

    Args:
        network: a network's name, an ``.onnx`` or ``.pt2`` file of a float network, a network in
            torch that takes and gives N x 3 x H x W, or what ``torch.export.export`` made of it.
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
    white = quantization.get("pixel_range")
    if isinstance(network, str | Path):
        loaded = load(network, weights=weights, random_weights=seed, pixel_range=white)
        if isinstance(loaded, Graph | AdaptiveGraph):
            raise UserError(f"{network} is quantized already; give the float network")
        called = loaded.name if isinstance(loaded, Lowerable) else str(network)
        return _named(name or called, loaded)
    if isinstance(network, Graph | AdaptiveGraph):
        raise UserError(f"graph '{network.name}' is quantized already; give the float network")
    if weights is not None or seed is not None:
        raise UserError(
            "a network in torch has weights of its own; leave out weights and random_weights"
        )
    if isinstance(network, Lowerable):
        if white not in (None, network.pixel_range):
            raise UserError(
                f"network '{network.name}' was loaded with a white pixel of "
                f"{network.pixel_range:g}; give pixel_range {white:g} to load"
            )
        return _named(name or network.name, network)
    return _of_torch(network, name or type(network).__name__.lower(), white)


def _of_torch(
    network: "nn.Module | ExportedProgram", name: str, white: float | None
) -> FloatNetwork:
    from torch import nn

    if not isinstance(network, nn.Module):
        from quant.lowering.exported_network import exported_network

        read = exported_network(network, name, DEFAULT_PIXEL_RANGE if white is None else white)
        return _named(name, read)
    if white is None:
        return _named(name, network)
    from quant.lowering.trace import trace

    return _named(name, trace(network, name, white))


def _named(name: str, network: "nn.Module | Lowerable") -> FloatNetwork:
    return FloatNetwork(name, _scale(network, name), network)


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
    given = network
    if isinstance(network, str | Path) and str(network) not in network_names():
        white = quantization.pop("pixel_range", None)
        given = load(
            network,
            weights=quantization.get("weights"),
            random_weights=quantization.get("random_weights"),
            pixel_range=white,
        )
    if isinstance(given, Graph | AdaptiveGraph):
        if quantization:
            told = ", ".join(quantization)
            raise UserError(f"graph '{given.name}' is quantized already; leave out {told}")
        return given, None
    if costs_only and isinstance(given, str | Path) and not _has_weights(given, quantization):
        quantization["random_weights"] = 0
    source = float_network(given, **quantization)
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
        source.network,
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


def _scale(network: "nn.Module | Lowerable", name: str) -> int:
    """What a network enlarges by: as its configuration says, else as its operators do."""
    told = getattr(getattr(network, "config", None), "scale", None)
    if isinstance(told, int):
        return told
    if not isinstance(network, Lowerable):
        from quant.lowering.trace import trace

        network = trace(network, name)
    scale = network.scale()
    if scale.denominator != 1:
        raise UserError(
            f"network '{name}': expected one that enlarges by a whole number, found {scale}; "
            "give a super-resolution network"
        )
    return int(scale)


def _has_weights(network: str | Path, quantization: Quantization) -> bool:
    given = "weights" in quantization or "random_weights" in quantization
    return given or shipped_weights(str(network)) is not None
