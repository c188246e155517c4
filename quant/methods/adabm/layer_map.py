"""Which layers of a network have bits of which kind, recognised from how it is wired.

A *block* is what a skip addition without another one inside spans. Its convolutions are adaptive.
In dense blocks (RDN), the 1x1 convolution that fuses them keeps the base bits. What lies between
the last block and the end of the long skip is adaptive in dense networks, and in others where the
method is to quantize everything. Specification 2.2; the paper's released code does it by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import networkx as nx

from quant.common.errors import UserError
from quant.lowering import FloatNetwork
from quant.lowering.float_network import FloatNode
from quant.lowering.float_operators import (
    FloatAdd,
    FloatBilinear,
    FloatConcatenate,
    FloatLayer,
    FloatNearest,
    FloatPixelShuffle,
    FloatTransposedConvolution,
)

_ENLARGING = FloatPixelShuffle | FloatNearest | FloatBilinear | FloatTransposedConvolution


class Role(Enum):
    """What decides the bits of a layer's input."""

    ADAPTIVE = "adaptive"
    """The base bits, the layer's offset and the image's."""
    BASE = "base"
    """The base bits."""
    FIXED = "fixed"
    """At least 8 bits each, with a learned range."""
    REAL = "real"
    """The method leaves it real: at least 8 bits each, over everything that was observed."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerMap:
    """The roles of a network's layers.

    Attributes:
        roles: of each layer by name, in the network's order.
        blocks: names of the additions that end a block, in order.
        is_dense: whether blocks concatenate what their layers make.
    """

    roles: Mapping[str, Role]
    blocks: tuple[str, ...]
    is_dense: bool

    def of(self, *roles: Role) -> tuple[str, ...]:
        """The layers of some roles, in order."""
        return tuple(name for name, role in self.roles.items() if role in roles)

    @property
    def counted(self) -> tuple[str, ...]:
        """The layers whose bits the paper averages (FAB): all that are quantized to few bits."""
        return self.of(Role.ADAPTIVE, Role.BASE)

    @property
    def learned(self) -> tuple[str, ...]:
        """The layers whose ranges are learned."""
        return self.of(Role.ADAPTIVE, Role.BASE, Role.FIXED)


def layer_map(network: FloatNetwork, *, everything: bool) -> LayerMap:
    """The roles of a folded network's layers.

    Args:
        network: a folded network.
        everything: whether layers outside the trunk are quantized too ("FQ").

    Raises:
        UserError: the network has no blocks.
    """
    wiring = _Wiring(network)
    blocks = {name: inside for name, inside in wiring.spans() if not wiring.adds(inside)}
    if not blocks:
        raise UserError(
            f"method adabm: network '{network.name}': expected residual blocks, whose layers get "
            "the bits that images decide, found none; choose another method"
        )
    is_dense = any(wiring.has(FloatConcatenate, inside) for inside in blocks.values())
    roles = dict.fromkeys(network.layer_names(), Role.FIXED if everything else Role.REAL)
    if is_dense or everything:
        roles.update(dict.fromkeys(wiring.behind(blocks), Role.ADAPTIVE))
    for inside in blocks.values():
        for layer in wiring.layers(inside):
            is_fusion = is_dense and layer.operator.weight.shape[1:3] == (1, 1)  # type: ignore[union-attr]
            roles[layer.name] = Role.BASE if is_fusion else Role.ADAPTIVE
    return LayerMap(roles, tuple(blocks), is_dense)


class _Wiring:
    """A network as a graph of names."""

    def __init__(self, network: FloatNetwork) -> None:
        self.nodes = network.by_name()
        self.network: nx.DiGraph[Any] = nx.DiGraph()
        self.network.add_nodes_from(self.nodes)
        self.network.add_edges_from(
            (source, node.name) for node in network.nodes for source in node.inputs
        )

    def spans(self) -> Iterable[tuple[str, frozenset[str]]]:
        """Each addition to a map it comes from, and what lies between the two, in order."""
        for node in self.nodes.values():
            if not isinstance(node.operator, FloatAdd):
                continue
            before = nx.ancestors(self.network, node.name)
            for skip, branch in (node.inputs, node.inputs[::-1]):
                if skip in nx.ancestors(self.network, branch):
                    yield node.name, frozenset(before & nx.descendants(self.network, skip))
                    break

    def behind(self, blocks: Iterable[str]) -> list[str]:
        """Layers that follow every block inside a skip addition, before anything is enlarged."""
        ends = set(blocks)
        last = set.intersection(*(nx.descendants(self.network, end) | {end} for end in ends))
        found: list[str] = []
        for name, inside in self.spans():
            if name in ends or not ends <= inside or self.has(_ENLARGING, inside):
                continue
            found += [layer.name for layer in self.layers(inside & last)]
        return found

    def layers(self, names: Iterable[str]) -> list[FloatNode]:
        """The layers among some nodes."""
        inside = set(names)
        return [
            node
            for node in self.nodes.values()
            if node.name in inside and isinstance(node.operator, FloatLayer)
        ]

    def adds(self, names: Iterable[str]) -> bool:
        """Whether there is an addition among some nodes."""
        return self.has(FloatAdd, names)

    def has(self, kind: object, names: Iterable[str]) -> bool:
        """Whether there is an operator of a kind among some nodes."""
        return any(isinstance(self.nodes[name].operator, kind) for name in names)  # type: ignore[arg-type]
