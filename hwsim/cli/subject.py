"""What a command works on: a network by name or a file, as a graph."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.api.model_files import (
    DEFAULT_PIXEL_RANGE,
    KINDS,
    is_model_file,
    load_model_file,
    may_be_float,
    needs_torch,
)
from hwsim.cli.float_source import (
    SEED_WHEN_NONE_SHIPPED,
    Enlarge,
    FloatSource,
    file_source,
    has_weights,
    import_torch,
    named_source,
    refuse_pixel_range,
    refuse_weights,
)
from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_BITS, DEFAULT_METHOD
from quant.common.errors import UserError, suggestion
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import calibration_photographs, read_image
from quant.lowering import FloatNetwork
from quant.networks import network_names
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from quant.methods import Encoder

Pixels = NDArray[np.uint8]

_QUANTIZATION_OPTIONS = ("method", "bits", "rounding", "calibration", "weights", "random_weights")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A graph and, when it was made here, the float network it was made from.

    Attributes:
        graph: the integer graph, or several that an image chooses among.
        enlarge: what the float network makes of a picture; None where the file is quantized.
    """

    graph: AnyGraph
    enlarge: Enlarge | None

    def float_picture(self, image: Pixels) -> Pixels | None:
        """What the float network makes of a picture, rounded half to even, where there is one."""
        return None if self.enlarge is None else rounded(self.enlarge, image)


@dataclass(frozen=True, slots=True, eq=False)
class FloatSubject:
    """A float network, calibrated, to be quantized under any policy.

    Attributes:
        enlarge: what the float network makes of a picture.
        scale: what it enlarges by.
        encode: from a policy to the network in codes, in integers or in reals.
    """

    enlarge: Enlarge
    scale: int
    encode: "Encoder"

    def quantize(self, policy: BitPolicy) -> AnyGraph:
        """The integer graph under a policy."""
        return self.encode(policy).graph()


def rounded(enlarge: Enlarge, image: Pixels) -> Pixels:
    """What a float network makes of a picture, rounded half to even.

    Evaluation code of the field rounds so before it measures quality.
    """
    return np.rint(enlarge(image)).astype(np.uint8)


def load_subject(
    arguments: Namespace,
    messages: Messages,
    *,
    accelerator: Accelerator | None = None,
    random_when_none_shipped: bool = False,
) -> Subject:
    """Read the quantized file, or quantize the float network, that the arguments name.

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
    opened = open_network(arguments, messages, random_when_none_shipped=random_when_none_shipped)
    return subject_of(opened, arguments, messages, accelerator)


def subject_of(
    opened: FloatSource | AnyGraph,
    arguments: Namespace,
    messages: Messages,
    accelerator: Accelerator | None = None,
) -> Subject:
    """What was opened, quantized where it is not yet; see `load_subject`."""
    if isinstance(opened, FloatSource):
        policy = BitPolicy.load(arguments.bits or DEFAULT_BITS)  # refused before the slow part
        subject = calibrated(opened, arguments, messages, accelerator)
        return Subject(subject.quantize(policy), subject.enlarge)
    _refuse_quantization(arguments)
    return Subject(opened, None)


def _refuse_quantization(arguments: Namespace) -> None:
    what = "" if may_be_float(arguments.network) else "a graph file, which is "
    for option in _QUANTIZATION_OPTIONS:
        if getattr(arguments, option) is not None:
            raise UserError(
                f"{arguments.network} is {what}quantized already; "
                f"leave out --{option.replace('_', '-')} or name a network"
            )


def load_float_subject(
    arguments: Namespace,
    messages: Messages,
    *,
    accelerator: Accelerator | None = None,
) -> FloatSubject:
    """Load and calibrate the float network that the arguments name; see `load_subject`.

    Raises:
        UserError: no such network, a file that is quantized already, or anything wrong with weights
            or calibration pictures.
    """
    return calibrated(open_float(arguments, messages), arguments, messages, accelerator)


def open_float(arguments: Namespace, messages: Messages) -> FloatSource:
    """The float network that the arguments name, not calibrated yet.

    Raises:
        UserError: no such network or file, a file that is quantized already, or options that do not
            apply.
    """
    name = arguments.network
    surely_quantized = name not in network_names() and Path(name).suffix in KINDS
    if not surely_quantized or may_be_float(name):
        opened = open_network(arguments, messages)
        if isinstance(opened, FloatSource):
            return opened
    raise UserError(f"{name} is quantized already; give the float network")


def open_network(
    arguments: Namespace, messages: Messages, *, random_when_none_shipped: bool = False
) -> FloatSource | AnyGraph:
    """What the arguments name, before anything slow is done with it; see `load_subject`.

    Raises:
        UserError: no such network or file, or options that do not apply.
    """
    name, weights, seed = arguments.network, arguments.weights, arguments.random_weights
    if name in network_names():
        refuse_pixel_range(name, arguments.pixel_range)
        if random_when_none_shipped and seed is None and not has_weights(name, weights):
            messages.say(f"{name}: no trained weights here; random ones cost the same")
            seed = SEED_WHEN_NONE_SHIPPED
        return named_source(name, weights, seed)
    if not is_model_file(name):
        raise UserError(
            f"network '{name}': expected a known network or a file ({', '.join(KINDS)}); "
            + suggestion(name, network_names())
        )
    if not may_be_float(name):
        _refuse_quantization(arguments)  # before anything of the file is read
    if needs_torch(name):
        import_torch()
    network = load_model_file(Path(name), arguments.pixel_range)
    if not isinstance(network, FloatNetwork):
        return network
    refuse_weights(name, weights, seed)
    if arguments.pixel_range is None:
        messages.say(
            f"{name}: a white pixel is taken to be {DEFAULT_PIXEL_RANGE:g}; --pixel-range 255 says "
            "otherwise"
        )
    return file_source(Path(name), network)


def calibrated(
    source: FloatSource,
    arguments: Namespace,
    messages: Messages,
    accelerator: Accelerator | None = None,
) -> FloatSubject:
    """A float network ready to be quantized; see `load_subject`."""
    rounding = _rounding(arguments, accelerator)
    with messages.stage(f"calibrating {source.name}") as step:
        network, enlarge = source.load()
        from quant.methods import encoder

        pictures = (
            calibration_photographs(source.scale)
            if arguments.calibration is None
            else read_pictures(arguments.calibration, "--calibration")
        )
        method = arguments.method or DEFAULT_METHOD
        encode = encoder(network, method, pictures, source.name, step, rounding)
        return FloatSubject(enlarge, source.scale, encode)


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
