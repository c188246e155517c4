"""A network of two variants whose selector adds up the image, and entries that need no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.compare import NetworkEntry
from hwsim.compare.alternatives import Adaptive
from hwsim.machine import KERNELS, run_layerwise
from quant.common.codes import CodeKind
from quant.common.errors import UserError
from quant.graph import Graph, Input, IntegerType, Node, Size, Statistics, TensorType, verify
from quant.graph.types import SUM_BITS
from quant.imaging import bicubic_upscale
from quant.policy import BitPolicy
from tests.edsr_graphs import edsr_graph

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Chosen:
    variant: int


@dataclass(frozen=True, eq=False)
class ByBrightness:
    """Dark images run the first variant, light ones the second."""

    selector: Graph
    variants: tuple[Graph, ...]
    metadata: Mapping[str, str] = field(default_factory=lambda: {"counted_layers": "tail,head"})

    def select(self, sums: NDArray[np.int64], image: Size) -> Chosen:
        return Chosen(int(sums.sum() > 3 * 100 * image.pixels))

    def shares(self) -> tuple[Fraction, ...]:
        return (Fraction(1, 4), Fraction(3, 4))


def selector() -> Graph:
    """The sum of each channel of an image."""
    image = TensorType(3, IntegerType(8))
    nodes = (
        Node("image", Input(), (), image),
        Node(
            "sums",
            Statistics("sum"),
            ("image",),
            TensorType(3, IntegerType(SUM_BITS, CodeKind.SIGNED)),
        ),
    )
    return verify(Graph("selector", nodes, "sums"))


def by_brightness() -> ByBrightness:
    return ByBrightness(selector(), (edsr_graph(1, 4, bits=(8, 4)), edsr_graph(1, 4, bits=(8, 8))))


@dataclass
class Quantizer:
    """Quantizes by name and remembers what it was asked."""

    asked: list[str] = field(default_factory=list)

    def __call__(self, method: str, policy: BitPolicy, rounding: str) -> Graph | Adaptive:
        self.asked.append(f"{method} {policy} {rounding}")
        if method == "adaptive":
            return by_brightness()
        if method == "broken":
            raise UserError("method broken: expected another network, given this; choose one")
        bits = policy.default
        channels = 40 if method == "wide" else 4
        return edsr_graph(1, channels, bits=(bits.weight_bits, bits.activation_bits))


@dataclass(frozen=True, eq=False)
class ItsOwnOracle:
    """A graph that stands for the same network in real numbers; all is as far from a tie as can be.

    Attributes:
        graph: the graph.
        wrong: what is added to the codes of its output.
    """

    graph: Graph
    wrong: int = 0

    def picture(self, image: Pixels) -> Pixels:
        return run_layerwise(self.graph, image.astype(np.int32), KERNELS).astype(np.uint8)

    def oracle(self, image: Pixels) -> "ItsOwnOracle":
        return self

    def codes_from(
        self, name: str, operands: Sequence[NDArray[np.integer[Any]]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        node = self.graph.node(name)
        types = [self.graph.node(source).output for source in node.inputs]
        codes = KERNELS.operators[type(node.operator)](node.operator, types, operands)
        added = self.wrong if name == self.graph.output else 0
        return codes.astype(np.int64) + added, np.full(codes.shape, 0.5)


def entry(quantize: Quantizer, *, trained: bool = True, fake: bool = False) -> NetworkEntry:
    """An entry whose float network is bicubic enlargement."""

    def fake_quantize(method: str, policy: BitPolicy, rounding: str) -> ItsOwnOracle:
        graph = quantize(method, policy, rounding)
        assert isinstance(graph, Graph)
        return ItsOwnOracle(graph)

    return NetworkEntry(
        "small",
        2,
        "random",
        "identity",
        trained,
        lambda image: bicubic_upscale(image, 2),
        quantize,
        fake_quantize if fake else None,
    )
