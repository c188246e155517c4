"""The image of an export: its size for most formats, its codes for some."""

from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.input_codes import input_codes
from hwsim.cli.options import SAMPLE
from hwsim.cli.picture_input import sample_input_size
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.graph.adaptive_file import AnyGraph

DEFAULT_SIZE = Size(32, 32)
"""Of the part of the sample that feature maps are written of, unless told otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class ExportImage:
    """An image that need not be read as long as its size will do.

    Attributes:
        size: height and width.
    """

    size: Size
    _path: Path | None
    _graph: Graph
    _read: list[NDArray[np.int32]] = field(default_factory=list)

    def codes(self) -> NDArray[np.int32]:
        """Its codes, int32 [height, width, channels].

        Raises:
            UserError: the file is no image for the network, or smaller than the size asked for.
        """
        if not self._read:
            self._read.append(_middle(input_codes(self._path, self._graph), self.size))
        return self._read[0]


def read_export_image(arguments: Namespace, given: AnyGraph, *, needed: bool) -> ExportImage:
    """The image that ``--image`` and ``--input-size`` name.

    Args:
        arguments: with both.
        given: the graph, or several that an image chooses among.
        needed: whether its codes are written, so that a small part will do.

    Raises:
        UserError: the file is no image for the network.
    """
    graph = given if isinstance(given, Graph) else given.variants[1]  # all have the same ends
    path = None if arguments.image in (None, SAMPLE) else Path(arguments.image)
    if arguments.input_size is not None:
        return ExportImage(Size(*arguments.input_size), path, graph)
    if path is not None:
        codes = input_codes(path, graph)
        return ExportImage(Size(*codes.shape[:2]), path, graph, [codes])
    size = DEFAULT_SIZE if needed else Size(*sample_input_size(max(1, int(graph.scale()))))
    return ExportImage(size, None, graph)


def _middle(codes: NDArray[np.int32], size: Size) -> NDArray[np.int32]:
    """The middle part of an image.

    Raises:
        UserError: the image is smaller.
    """
    height, width = codes.shape[:2]
    top, left = (height - size.height) // 2, (width - size.width) // 2
    if top < 0 or left < 0:
        raise UserError(
            f"--input-size: expected at most the image's {height}×{width}, given {size}; "
            "give a smaller size or a larger image"
        )
    return np.ascontiguousarray(codes[top : top + size.height, left : left + size.width])
