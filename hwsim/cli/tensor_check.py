"""``hwsim verify --tensors`` and ``--write-tensors``: feature maps of others, and ours for them."""

from argparse import Namespace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.adaptive import chosen_graph
from hwsim.cli.messages import Messages
from hwsim.cli.picture_graph import require_picture_graph
from hwsim.cli.picture_input import read_picture_input
from hwsim.machine import KERNELS
from hwsim.verify import Check
from hwsim.verify.tensor_files import (
    Wanted,
    read_tensor,
    read_tensors,
    tensor_writer,
    wanted_tensors,
)
from hwsim.verify.tensors import verify_tensors, write_tensors
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import read_image

ARRAY_SUFFIX = ".npy"


def wants_tensors(arguments: Namespace) -> bool:
    """Whether the arguments ask for feature maps instead of the other checks.

    Raises:
        UserError: an input is named with nothing to do with it.
    """
    wanted = arguments.tensors is not None or arguments.write_tensors is not None
    if arguments.input is not None and not wanted:
        raise UserError(
            f"--input {arguments.input}: expected --tensors or --write-tensors beside it; "
            "add one of them"
        )
    return wanted


def check_tensors(arguments: Namespace, given: AnyGraph, messages: Messages) -> list[Check]:
    """Write our feature maps, and compare with those the user gave, as the arguments ask.

    Args:
        arguments: with ``input``, ``tensors`` and ``write_tensors``.
        given: computed layer by layer; of several graphs, the one that the input chooses.
        messages: told what takes time.

    Raises:
        UserError: a file is missing or is not what it should be.
    """
    image = input_codes(arguments.input, given if isinstance(given, Graph) else given.variants[1])
    graph = chosen_graph(given, image, KERNELS)
    size = Size(image.shape[0], image.shape[1])
    if arguments.write_tensors is not None:
        with (
            messages.stage("writing tensors") as progress,
            tensor_writer(arguments.write_tensors) as write,
        ):
            write_tensors(graph, image, write, progress=progress)
    if arguments.tensors is None:
        return []
    tensors = read_tensors(arguments.tensors, wanted_tensors(graph, size), graph.output)
    with messages.stage("comparing tensors") as progress:
        return verify_tensors(graph, image, tensors, progress=progress)


def input_codes(path: Path | None, graph: Graph) -> NDArray[np.int32]:
    """Codes of the input: a picture's pixels, or an array as it is; without a path the sample's.

    Raises:
        UserError: the file is missing or is none of these, or the input is no picture.
    """
    if path is not None and path.suffix == ARRAY_SUFFIX:
        return _array(path, graph)
    require_picture_graph(graph)
    if path is not None:
        return read_image(path).astype(np.int32)
    picture = read_picture_input(Namespace(image=None, hr=None))
    return picture.for_scale(int(graph.scale()))[0].astype(np.int32)


def _array(path: Path, graph: Graph) -> NDArray[np.int32]:
    tensor = graph.input.output
    try:
        height, width, _ = np.load(path, mmap_mode="r").shape
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such input file; check the path") from error
    except (ValueError, OSError, EOFError) as error:
        raise UserError(
            f"{path}: expected an array of {tensor}, rows × columns × channels, found something "
            "else; write it again"
        ) from error
    codes = read_tensor(path, Wanted(tensor, Size(height, width)))
    if not tensor.integer.contains(codes.astype(np.int64)):
        raise UserError(
            f"{path}: expected {tensor.integer} codes ({tensor.integer.low} to "
            f"{tensor.integer.high}), found {codes.min()} to {codes.max()}; correct it"
        )
    return codes
