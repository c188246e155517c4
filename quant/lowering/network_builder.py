"""A float network under construction, by whatever reads it: nodes, names, and every problem."""

from collections.abc import Callable, Iterable

import numpy as np

from quant.common.errors import UnsupportedError, UserError
from quant.lowering.float_network import FloatNetwork, FloatNode, channels_of
from quant.lowering.float_operators import (
    FloatAffine,
    FloatConcatenate,
    FloatConvolution,
    FloatInput,
    FloatLayer,
    FloatOperator,
    FloatSlice,
    FloatTransposedConvolution,
)
from quant.lowering.network_rules import LARGEST_CHANNELS, require_consistent

IMAGE = "image"
"""Name of the input's node."""

Converted = tuple[FloatOperator | None, tuple[str, ...]]
"""An operator and the feature maps it reads; no operator stands for "the same feature map"."""


class NetworkBuilder:
    """Takes operators one after the other, each behind those it reads.

    Attributes:
        nodes: all but the image.
        channels: of the feature maps where they are known yet.
        problems: what could not be converted.
    """

    def __init__(self) -> None:
        self.nodes: list[FloatNode] = []
        self.channels: dict[str, int] = {}
        self.problems: list[str] = []
        self._names: set[str] = {IMAGE}
        self._slices: dict[tuple[str, int, int], str] = {}

    def unique(self, base: str) -> str:
        """A name that no feature map has yet."""
        name, count = base, 0
        while name in self._names:
            count += 1
            name = f"{base}_{count}"
        return name

    def append(self, base: str, convert: Callable[[], Converted]) -> str:
        """Append what a conversion makes; a problem is noted, and the image stands in for it.

        Args:
            base: name of the node, with a number behind it if it is taken.
            convert: makes the operator; raises `UnsupportedError`.

        Returns:
            Name of the feature map that is the result.
        """
        name = self.unique(base)
        try:
            with np.errstate(all="ignore"):  # what is not finite is told with the network
                converted, inputs = convert()
        except UnsupportedError as error:
            self.problems.append(f"{error} at '{name}'")
            return IMAGE
        if converted is None:
            return inputs[0]
        self._names.add(name)
        self.nodes.append(FloatNode(name, converted, inputs))
        known = [self.channels[source] for source in inputs if source in self.channels]
        if len(known) == len(inputs) or isinstance(converted, FloatLayer):
            self.channels[name] = channels_of(converted, known)
        return name

    def append_slice(self, base: str, source: str, part: FloatSlice) -> str:
        """Append some channels of a feature map, once however often they are asked for.

        Args:
            base: what the node is called after, with the channels behind it.
            source: the feature map.
            part: its channels.

        Returns:
            Name of the feature map that is the result.
        """
        key = source, part.start, part.stop
        if key not in self._slices:
            name = f"{base}.{part.start}_{part.stop}"
            self._slices[key] = self.append(name, lambda: (part, (source,)))
        return self._slices[key]

    def network(self, what: str, name: str, output: str, pixel_range: float) -> FloatNetwork:
        """The network as it was read, without what leads nowhere.

        Args:
            what: is read, for messages.
            name: of the network.
            output: the feature map that is the picture.
            pixel_range: value of a white pixel.

        Raises:
            UserError: there were problems, all of which are named; something does not fit
                together; or nothing tells the image's channels.
        """
        if self.problems:
            raise UserError(
                f"{what}: expected operators that can be lowered to integers, found "
                f"{'; '.join(self.problems)}; replace them"
            )
        channels = self.channels.get(IMAGE) or _image_channels(self.nodes)
        if channels > LARGEST_CHANNELS:
            raise UserError(
                f"{what}: expected an image of at most {LARGEST_CHANNELS} channels, found "
                f"{channels}; give a network for pictures"
            )
        image = FloatInput(channels, pixel_range / 255, np.zeros(channels))
        nodes = FloatNode(IMAGE, image, ()), *self.nodes
        network = FloatNetwork(name, nodes, output, pixel_range).rewritten([])
        require_consistent(network, what)
        return network


def _image_channels(nodes: Iterable[FloatNode]) -> int:
    """Channels of the image, from the first operators that touch it or copies of it."""
    copies = {IMAGE: 1}  # feature maps that are the image, several times side by side
    for node in nodes:
        if not copies.keys() & set(node.inputs):
            continue
        count = sum(copies.get(source, 0) for source in node.inputs)
        match node.operator:
            case FloatConvolution(weight=weight, groups=groups):
                return int(weight.shape[3]) * groups // count
            case FloatTransposedConvolution(weight=weight):
                return int(weight.shape[3]) // count
            case FloatAffine(scale=scale, offset=offset) if max(scale.size, offset.size) > 1:
                return max(scale.size, offset.size) // count
            case FloatConcatenate():
                copies[node.name] = count
            case _:
                copies[node.name] = copies.get(node.inputs[0], 1)
    raise UserError("network: expected a convolution that reads the image, found none; add one")
