"""The codes that a network is given: a picture's pixels, or an array as it is."""

from argparse import Namespace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.picture_graph import require_picture_graph
from hwsim.cli.picture_input import read_picture_input
from hwsim.verify.tensor_files import Wanted, array_shape, read_tensor
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.imaging import read_image

ARRAY_SUFFIX = ".npy"


def input_codes(path: Path | None, graph: Graph) -> NDArray[np.int32]:
    """Codes of an image file, int32 [height, width, channels].

    Args:
        path: a picture, or a ``.npy`` file; None: the reduced sample.
        graph: whose input they are for.

    Raises:
        UserError: the file is missing or damaged, or does not fit the network.
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
    if not path.exists():
        raise UserError(f"{path}: no such input file; check the path")
    shape = array_shape(path)
    if len(shape) != 3:
        raise UserError(
            f"{path}: expected an array of {tensor}, rows × columns × channels, found something "
            "else; write it again"
        )
    codes = read_tensor(path, Wanted(tensor, Size(*shape[:2])))
    if not tensor.integer.contains(codes.astype(np.int64)):
        raise UserError(
            f"{path}: expected {tensor.integer} codes ({tensor.integer.low} to "
            f"{tensor.integer.high}), found {codes.min()} to {codes.max()}; correct it"
        )
    return codes
