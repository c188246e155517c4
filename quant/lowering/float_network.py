"""A float network as plain data: the few operators that can be lowered to the integer graph.

Feature maps are height x width x channels; real numbers are float64. ``trace`` makes such a
network from a torch module, ``fold`` rewrites it until only what integers can do is left.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

UNCLAMPED = (-inf, inf)
"""The interval of a result that is left as it is; a ReLU has (0, inf)."""


@dataclass(frozen=True, slots=True, eq=False)
class FloatInput:
    """The image: real = scale · code + offset, code 0..255.

    Attributes:
        channels: colours of the image.
        scale: value of one step of the 8-bit picture.
        offset: [channels] value of code 0; minus the mean colour where a network subtracts it.
    """

    channels: int
    scale: float
    offset: Reals


@dataclass(frozen=True, slots=True, eq=False)
class FloatConvolution:
    """Convolution of stride 1 with zero padding, clamped.

    Attributes:
        weight: [out_channels, kernel_height, kernel_width, in_channels].
        bias: [out_channels].
        padding: rows above and below, columns left and right.
        clamp: smallest and largest result.
    """

    weight: Reals
    bias: Reals
    padding: tuple[int, int]
    clamp: tuple[float, float] = UNCLAMPED


@dataclass(frozen=True, slots=True, eq=False)
class FloatAffine:
    """Per channel: scale · x + offset; both [channels] or [1]."""

    scale: Reals
    offset: Reals


@dataclass(frozen=True, slots=True, eq=False)
class FloatClamp:
    """The nearest value of an interval."""

    clamp: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class FloatAdd:
    """Sum of two feature maps, clamped."""

    clamp: tuple[float, float] = UNCLAMPED


@dataclass(frozen=True, slots=True, eq=False)
class FloatPixelShuffle:
    """Depth to space; ``order`` says where the offset within a block stands in the channel index.

    ``crd`` (torch, ONNX CRD): channel = c · factor² + offset. ``dcr`` (TFLite, ONNX DCR):
    channel = offset · channels + c.
    """

    factor: int
    order: Literal["crd", "dcr"]

    def repeated(self, values: Reals) -> Reals:
        """Values per output channel as values per input channel."""
        if values.size == 1:
            return values
        repeat = np.repeat if self.order == "crd" else np.tile
        result: Reals = repeat(values, self.factor**2)
        return result


FloatOperator = (
    FloatInput | FloatConvolution | FloatAffine | FloatClamp | FloatAdd | FloatPixelShuffle
)


@dataclass(frozen=True, slots=True, eq=False)
class FloatNode:
    """One operator and the one feature map it produces, which bears the node's name."""

    name: str
    operator: FloatOperator
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """A float network: nodes, producers before consumers.

    Attributes:
        name: what the network calls itself.
        nodes: every node; the first is the image, the last the picture, and all lead there.
        output: name of the node whose feature map is the picture.
        pixel_range: value of a white pixel in the picture.
    """

    name: str
    nodes: tuple[FloatNode, ...]
    output: str
    pixel_range: float

    def by_name(self) -> dict[str, FloatNode]:
        """Every node by its name."""
        return {node.name: node for node in self.nodes}

    def readers(self) -> dict[str, tuple[FloatNode, ...]]:
        """For each node, the nodes that read its feature map, in order."""
        readers: dict[str, list[FloatNode]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                readers[source].append(node)
        return {name: tuple(nodes) for name, nodes in readers.items()}

    def layer_names(self) -> tuple[str, ...]:
        """The convolutions, in order: the layers a bit policy speaks of."""
        return tuple(n.name for n in self.nodes if isinstance(n.operator, FloatConvolution))

    def channels(self) -> dict[str, int]:
        """Channels of every feature map."""
        channels: dict[str, int] = {}
        for node in self.nodes:
            match node.operator:
                case FloatInput(channels=count):
                    channels[node.name] = count
                case FloatConvolution(weight=weight):
                    channels[node.name] = int(weight.shape[0])
                case FloatPixelShuffle(factor=factor):
                    channels[node.name] = channels[node.inputs[0]] // factor**2
                case _:
                    channels[node.name] = channels[node.inputs[0]]
        return channels

    def scale(self) -> int:
        """Output pixels per input pixel along one side."""
        scales: dict[str, int] = {}
        for node in self.nodes:
            scale = scales[node.inputs[0]] if node.inputs else 1
            if isinstance(node.operator, FloatPixelShuffle):
                scale *= node.operator.factor
            scales[node.name] = scale
        return scales[self.output]

    def rewritten(
        self, changed: Iterable[FloatNode], renamed: Mapping[str, str] | None = None
    ) -> "FloatNetwork":
        """The network with nodes exchanged by name, and the uses of some names redirected.

        A node whose uses are redirected to another one is left out when that other takes its place.

        Args:
            changed: the new nodes; each replaces the one of its name.
            renamed: for each name, the name its readers shall read instead.
        """
        new = {node.name: node for node in changed}
        redirected = dict(renamed or {})
        nodes = [
            new.get(node.name)
            or replace(node, inputs=tuple(redirected.get(source, source) for source in node.inputs))
            for node in self.nodes
        ]
        output = redirected.get(self.output, self.output)
        return replace(self, nodes=_needed(nodes, output), output=output)


def _needed(nodes: Iterable[FloatNode], output: str) -> tuple[FloatNode, ...]:
    """The nodes that lead to the output, producers before consumers."""
    by_name = {node.name: node for node in nodes}
    ordered: dict[str, FloatNode] = {}
    waiting = [output]
    while waiting:
        node = by_name[waiting[-1]]
        missing = [source for source in node.inputs if source not in ordered]
        if missing:
            waiting.extend(reversed(missing))
        else:
            waiting.pop()
            ordered[node.name] = node
    return tuple(ordered.values())
