"""In which encoding each feature map of a network is stored.

The rule, for a feature map and what reads it:

=============================================  ===============================================
the image                                      8-bit codes, as they come
a nearest resize of the image                  as the image
the result                                     the 8-bit picture
read by one convolution only                   what that convolution's policy asks for
read by one rearranging operator only          as that operator's result
read by convolutions and one concatenation     as the concatenation, if that is a stream
anything else: additions, several readers      a stream: signed codes of ``residual_bits``
=============================================  ===============================================

Rearranging operators (pixel shuffle, nearest resize, concatenation) pass codes on as they are. What
reads a feature map in another encoding than its own gets a copy.
"""

from dataclasses import dataclass
from enum import Enum

from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import (
    FloatConcatenate,
    FloatInput,
    FloatLayer,
    FloatNearest,
    FloatPixelShuffle,
)

REARRANGING = FloatPixelShuffle | FloatNearest | FloatConcatenate
"""Operators whose result has the codes of their operands."""


class Store(Enum):
    """What decides the encoding of a feature map."""

    IMAGE = "image"
    PICTURE = "picture"
    LAYER = "layer"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Storage:
    """How a feature map is stored.

    Attributes:
        store: what decides.
        name: the convolution whose input it is (`Store.LAYER`), or the feature map whose range
            counts (`Store.STREAM`).
    """

    store: Store
    name: str = ""


def storages(network: FloatNetwork) -> dict[str, Storage]:
    """The storage of each feature map of a folded network, by node name."""
    readers, images = network.readers(), _images(network)
    chosen: dict[str, Storage] = {}
    for node in reversed(network.nodes):
        if node.name in images:
            chosen[node.name] = Storage(Store.IMAGE)
        elif node.name == network.output:
            chosen[node.name] = Storage(Store.PICTURE)
        else:
            chosen[node.name] = _storage(node, readers[node.name], chosen)
    return chosen


def stream_names(network: FloatNetwork) -> tuple[str, ...]:
    """The feature maps whose range decides the encoding of a stream, in order."""
    used = [storage for storage in storages(network).values() if storage.store is Store.STREAM]
    names = {storage.name for storage in used}
    return tuple(node.name for node in network.nodes if node.name in names)


def _images(network: FloatNetwork) -> set[str]:
    """The image, and what only repeats its pixels."""
    images: set[str] = set()
    for node in network.nodes:
        repeated = isinstance(node.operator, FloatNearest) and images.issuperset(node.inputs)
        if isinstance(node.operator, FloatInput) or (repeated and node.name != network.output):
            images.add(node.name)
    return images


def _storage(
    node: FloatNode, readers: tuple[FloatNode, ...], chosen: dict[str, Storage]
) -> Storage:
    if len(readers) == 1:
        (reader,) = readers
        if isinstance(reader.operator, FloatLayer):
            return Storage(Store.LAYER, reader.name)
        if isinstance(reader.operator, REARRANGING):
            return chosen[reader.name]
    others = [reader for reader in readers if not isinstance(reader.operator, FloatLayer)]
    if len(others) == 1 and isinstance(others[0].operator, FloatConcatenate):
        stacked = chosen[others[0].name]
        if stacked.store is Store.STREAM:
            return stacked
    return Storage(Store.STREAM, node.name)
