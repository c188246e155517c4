"""Rewrites of a float network that leave its function as it is."""

from dataclasses import dataclass, field, replace

import numpy as np

from quant.lowering import FloatNetwork
from quant.lowering.float_network import FloatNode
from quant.lowering.float_operators import UNCLAMPED, FloatConcatenate, FloatLayer, FloatPRelu
from quant.methods.fqsr.layer_map import RELU


def with_slopes(network: FloatNetwork) -> FloatNetwork:
    """The network with a PReLU of slope 0, one for all channels, for each ReLU behind a layer.

    Args:
        network: a folded network. The PReLU behind layer ``x`` is called ``x.prelu``.
    """
    behind = {
        node.name: f"{node.name}.prelu"
        for node in network.nodes
        if isinstance(node.operator, FloatLayer)
        and node.operator.clamp == RELU
        and node.name != network.output
    }
    changed: list[FloatNode] = []
    for node in network.nodes:
        if node.name in behind:
            assert isinstance(node.operator, FloatLayer)
            inputs = tuple(behind.get(source, source) for source in node.inputs)
            changed.append(FloatNode(node.name, replace(node.operator, clamp=UNCLAMPED), inputs))
            changed.append(FloatNode(behind[node.name], FloatPRelu(np.zeros(1)), (node.name,)))
    return network.rewritten(changed, behind)


def for_each_reader(network: FloatNetwork) -> FloatNetwork:
    """The network with PReLUs and concatenations made anew for each of their readers.

    Each reader has an interval of its own, so it needs those feature maps in codes of its own; a
    lookup table makes them in one step from the codes in front of the PReLU. Concatenations of
    concatenations become one of all parts, whose codes are made before they are put together.

    Args:
        network: a folded network. The first reader's copy keeps its name, that of a later reader
            ``r`` has ``.for.r`` behind it.
    """
    return _Copies(network).rewritten()


@dataclass(eq=False)
class _Copies:
    """The nodes made so far, by name, and the readers each was made for."""

    network: FloatNetwork
    made: dict[str, FloatNode] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def rewritten(self) -> FloatNetwork:
        nodes = self.network.by_name()
        for node in self.network.nodes:
            if not isinstance(node.operator, FloatPRelu | FloatConcatenate):
                inputs = tuple(self._copy(nodes, source, node.name) for source in node.inputs)
                self.made[node.name] = replace(node, inputs=inputs)
        if self.network.output not in self.made:
            self._copy(nodes, self.network.output, "")
        return replace(self.network, nodes=tuple(self.made.values()))

    def _copy(self, nodes: dict[str, FloatNode], source: str, reader: str) -> str:
        node, key = nodes[source], (source, reader)
        if not isinstance(node.operator, FloatPRelu | FloatConcatenate):
            return source
        if key not in self.names:
            parts = self._parts(nodes, node)
            inputs = tuple(self._copy(nodes, part, reader) for part in parts)
            name = f"{source}.for.{reader}" if source in self.made else source
            self.names[key] = name
            self.made[name] = FloatNode(name, node.operator, inputs)
        return self.names[key]

    def _parts(self, nodes: dict[str, FloatNode], node: FloatNode) -> list[str]:
        """What a node reads; of a concatenation, without the concatenations in between."""
        if not isinstance(node.operator, FloatConcatenate):
            return list(node.inputs)
        return [
            part
            for source in node.inputs
            for part in (
                self._parts(nodes, nodes[source])
                if isinstance(nodes[source].operator, FloatConcatenate)
                else [source]
            )
        ]
