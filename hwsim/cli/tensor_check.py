"""``hwsim verify --tensors`` and ``--write-tensors``: feature maps of others, and ours for them."""

from argparse import Namespace

from hwsim.adaptive import chosen_graph
from hwsim.cli.input_codes import input_codes
from hwsim.cli.messages import Messages
from hwsim.machine import KERNELS
from hwsim.verify import Check
from hwsim.verify.tensor_files import (
    read_tensors,
    tensor_writer,
    wanted_tensors,
)
from hwsim.verify.tensors import verify_tensors, write_tensors
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.graph.adaptive_file import AnyGraph


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
    ends = given if isinstance(given, Graph) else given.variants[1]  # all have the same
    image = input_codes(arguments.input, ends)
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
