"""In which encoding each feature map of a network is stored.

The rule, for a feature map and what reads it:

=============================================  ===============================================
the image                                      8-bit codes, as they come
the result                                     the 8-bit picture
read by one convolution only                   what that convolution's policy asks for
read by a pixel shuffle only                   as the shuffle's output
anything else: additions, several readers      a stream: signed codes of ``residual_bits``
=============================================  ===============================================

A convolution that reads a stream, or an image of more bits than it may have, gets a copy.
"""

from dataclasses import dataclass
from enum import Enum

from quant.lowering.float_network import (
    FloatConvolution,
    FloatInput,
    FloatNetwork,
    FloatNode,
    FloatPixelShuffle,
)


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
    readers = network.readers()
    chosen: dict[str, Storage] = {}
    for node in reversed(network.nodes):
        chosen[node.name] = _storage(network, node, readers[node.name], chosen)
    return chosen


def stream_names(network: FloatNetwork) -> tuple[str, ...]:
    """The feature maps whose range decides the encoding of a stream, in order."""
    used = [storage for storage in storages(network).values() if storage.store is Store.STREAM]
    names = {storage.name for storage in used}
    return tuple(node.name for node in network.nodes if node.name in names)


def _storage(
    network: FloatNetwork,
    node: FloatNode,
    readers: tuple[FloatNode, ...],
    chosen: dict[str, Storage],
) -> Storage:
    if isinstance(node.operator, FloatInput):
        return Storage(Store.IMAGE)
    if node.name == network.output:
        return Storage(Store.PICTURE)
    if len(readers) == 1:
        (reader,) = readers
        match reader.operator:
            case FloatConvolution():
                return Storage(Store.LAYER, reader.name)
            case FloatPixelShuffle():
                return chosen[reader.name]
    return Storage(Store.STREAM, node.name)
