"""What a command works on: a network name, a graph file or a TensorFlow Lite file, as a graph."""

from argparse import Namespace
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.cli.interruption import uninterrupted
from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_BITS, DEFAULT_METHOD
from quant.common.errors import UserError, suggestion
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.graph import Graph
from quant.graph.adaptive_file import AnyGraph, load_any_graph
from quant.graph.serialization import SUFFIX
from quant.imaging import calibration_photographs, read_image
from quant.interchange.picture_ends import with_picture_ends
from quant.networks import load_network, network_config, network_names
from quant.networks.registry import shipped_weights
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from torch import nn

    from quant.methods import Encoder

Pixels = NDArray[np.uint8]

MODEL_SUFFIX = ".tflite"

SEED_WHEN_NONE_SHIPPED = 0
"""Of the weights of a network that comes without any: they cost what others cost."""

_QUANTIZATION_OPTIONS = ("method", "bits", "rounding", "calibration", "weights", "random_weights")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A graph and, when it was made here, the float network it was made from.

    Attributes:
        graph: the integer graph, or several that an image chooses among.
        network: the float network in torch; None for a graph file.
    """

    graph: AnyGraph
    network: "nn.Module | None"


@dataclass(frozen=True, slots=True, eq=False)
class FloatSubject:
    """A float network, calibrated, to be quantized under any policy.

    Attributes:
        network: the float network in torch.
        scale: what it enlarges by.
        encode: from a policy to the network in codes, in integers or in reals.
    """

    network: "nn.Module"
    scale: int
    encode: "Encoder"

    def quantize(self, policy: BitPolicy) -> AnyGraph:
        """The integer graph under a policy."""
        return self.encode(policy).graph()


def load_subject(
    arguments: Namespace,
    messages: Messages,
    *,
    accelerator: Accelerator | None = None,
    random_when_none_shipped: bool = False,
) -> Subject:
    """Read the graph or TensorFlow Lite file, or quantize the network, that the arguments name.

    Args:
        arguments: with ``network`` and the quantization options.
        messages: told what takes time.
        accelerator: the machine whose requantizer rounds, unless ``--rounding`` says otherwise.
        random_when_none_shipped: for what does not depend on the weights, take random ones for a
            network whose trained weights do not come with the program.

    Raises:
        UserError: no such network or file, options that do not apply, or anything wrong with
            weights, policy or calibration pictures.
    """
    name = arguments.network
    if name in network_names():
        policy = BitPolicy.load(arguments.bits or DEFAULT_BITS)  # refused before the slow part
        subject = load_float_subject(
            arguments,
            messages,
            accelerator=accelerator,
            random_when_none_shipped=random_when_none_shipped,
        )
        return Subject(subject.quantize(policy), subject.network)
    is_file = name.endswith((SUFFIX, MODEL_SUFFIX)) or Path(name).exists() or "/" in name
    if not is_file:
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
    path = Path(name)
    return Subject(_load_model(path) if name.endswith(MODEL_SUFFIX) else load_any_graph(path), None)


def _load_model(path: Path) -> Graph:
    """The graph of a TensorFlow Lite file, from picture to picture."""
    try:
        from quant.interchange.tflite_reader import read_tflite
    except ModuleNotFoundError as error:
        raise UserError(
            f"{path}: reading TensorFlow Lite files needs '{error.name}', which is not installed; "
            "pip install 'hwsim[verify]'"
        ) from error
    return with_picture_ends(read_tflite(path))


def load_float_subject(
    arguments: Namespace,
    messages: Messages,
    *,
    accelerator: Accelerator | None = None,
    random_when_none_shipped: bool = False,
) -> FloatSubject:
    """Load and calibrate the network that the arguments name; see `load_subject`.

    Raises:
        UserError: no such network, or anything wrong with weights or calibration pictures.
    """
    rounding = _rounding(arguments, accelerator)
    name, seed = arguments.network, arguments.random_weights
    scale = network_config(name).scale
    trained = arguments.weights is not None or shipped_weights(name) is not None
    if random_when_none_shipped and seed is None and not trained:
        messages.say(f"{name}: no trained weights here; random ones cost the same")
        seed = SEED_WHEN_NONE_SHIPPED
    with messages.stage(f"calibrating {name}") as step:
        with uninterrupted():
            import_module("torch")  # what follows needs it
        from quant.methods import encoder

        network = load_network(name, arguments.weights, seed)
        pictures = (
            calibration_photographs(scale)
            if arguments.calibration is None
            else read_pictures(arguments.calibration, "--calibration")
        )
        method = arguments.method or DEFAULT_METHOD
        encode = encoder(network, method, pictures, name, step, rounding)
        return FloatSubject(network, scale, encode)


def _rounding(arguments: Namespace, accelerator: Accelerator | None) -> str:
    """The requantization mode asked for, or else the machine's, or else the default."""
    if arguments.rounding is not None:
        return mode_named(arguments.rounding).name
    return DEFAULT_MODE if accelerator is None else accelerator.requantizer.rounding


def read_pictures(folder: Path, option: str) -> list[Pixels]:
    """Every picture in a folder, in the order of their names.

    Args:
        folder: holds pictures and nothing else.
        option: what the user named it with, for messages.

    Raises:
        UserError: there is no such folder, it is empty, or a file in it is no picture.
    """
    if not folder.is_dir():
        raise UserError(f"{option} {folder}: expected a folder of pictures; check the path")
    files = sorted(file for file in folder.iterdir() if file.is_file())
    if not files:
        raise UserError(f"{option} {folder}: expected pictures in this folder, found none")
    return [read_image(file) for file in files]
