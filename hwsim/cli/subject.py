"""What a command works on: the integer graph of a network name or of a graph file."""

from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_BITS, DEFAULT_METHOD
from quant.common.errors import UserError, suggestion
from quant.graph import Graph, load_graph
from quant.graph.serialization import SUFFIX
from quant.networks import load_network, network_config, network_names
from quant.networks.registry import shipped_weights
from quant.policy import BitPolicy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

_QUANTIZATION_OPTIONS = ("method", "bits", "calibration", "weights", "random_weights")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A graph and, when it was made here, the float network it was made from.

    Attributes:
        graph: the integer graph.
        network: the float network in torch; None for a graph file.
    """

    graph: Graph
    network: "nn.Module | None"


def load_subject(
    arguments: Namespace, messages: Messages, *, random_when_none_shipped: bool = False
) -> Subject:
    """Read the graph file, or quantize the network, that the arguments name.

    Args:
        arguments: with ``network`` and the quantization options.
        messages: told what takes time.
        random_when_none_shipped: for what does not depend on the weights, take random ones for a
            network whose trained weights do not come with the program.

    Raises:
        UserError: no such network or file, options that do not apply, or anything wrong with
            weights, policy or calibration pictures.
    """
    name = arguments.network
    if name in network_names():
        return _quantized(arguments, messages, random_when_none_shipped)
    if not name.endswith(SUFFIX) and not Path(name).exists() and "/" not in name:
        raise UserError(
            f"network '{name}': expected a known network or a graph file ({SUFFIX}); "
            + suggestion(name, network_names())
        )
    for option in _QUANTIZATION_OPTIONS:
        if getattr(arguments, option) is not None:
            raise UserError(
                f"{name} is a graph file, which is quantized already; "
                f"leave out --{option.replace('_', '-')} or name a network"
            )
    return Subject(load_graph(Path(name)), None)


def _quantized(arguments: Namespace, messages: Messages, random_when_none_shipped: bool) -> Subject:
    # Bad policies are found before anything slow is imported.
    policy = BitPolicy.load(arguments.bits or DEFAULT_BITS)
    name, seed = arguments.network, arguments.random_weights
    trained = seed is None and (arguments.weights is not None or shipped_weights(name) is not None)
    if random_when_none_shipped and seed is None and not trained:
        messages.say(f"{name}: no trained weights here; random ones cost the same")
        seed = 0
    with messages.stage(f"quantizing {name}") as step:
        from quant.methods import quantize

        network = load_network(name, arguments.weights, seed)
        pictures = _calibration_pictures(arguments.calibration, network_config(name).scale)
        graph = quantize(network, arguments.method or DEFAULT_METHOD, policy, pictures, name, step)
    # The whole policy is kept by `quantize`; these are its few words, for titles and tables.
    graph = replace(graph, metadata={**graph.metadata, "bits": str(policy)})
    return Subject(graph, network)


def _calibration_pictures(folder: Path | None, scale: int) -> "list[NDArray[np.uint8]]":
    from quant.imaging import calibration_photographs, read_image

    if folder is None:
        return calibration_photographs(scale)
    if not folder.is_dir():
        raise UserError(f"--calibration {folder}: expected a folder of pictures; check the path")
    files = sorted(file for file in folder.iterdir() if file.is_file())
    if not files:
        raise UserError(f"--calibration {folder}: expected pictures in this folder, found none")
    return [read_image(file) for file in files]
