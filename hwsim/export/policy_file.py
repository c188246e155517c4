"""The bits of every layer of a graph as a policy, for ``--bits``."""

from collections import Counter

import yaml

from hwsim.export.request import ExportRequest, Files, write_text
from quant.graph import Add, CodeKind, Graph
from quant.graph.bits import layer_operations
from quant.policy import DEFAULT_RESIDUAL_BITS, BitPolicy, LayerBits, Override


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write the policy of a graph."""
    write_text(files, name, policy_of(request).to_yaml())


def policy_of(request: ExportRequest) -> BitPolicy:
    """The policy under which each layer gets the bits that it has.

    Most frequent bits are the default, every other layer is named. Bits of feature maps that take
    part in additions are those the graph says it was made with, else the most of signed ones.
    """
    layers = layer_operations(request.graph, request.size)
    bits = {each.name: LayerBits(each.weight_bits, each.activation_bits) for each in layers}
    ((default, _),) = Counter(bits.values()).most_common(1)
    others = tuple(Override(name, own) for name, own in bits.items() if own != default)
    return BitPolicy(default, None, others, _residual_bits(request.graph))


def _residual_bits(graph: Graph) -> int:
    said = yaml.safe_load(graph.metadata.get("policy", "")) or {}
    if isinstance(said, dict) and isinstance(bits := said.get("residual_bits"), int):
        return bits
    added = [
        graph.node(name).output.integer
        for node in graph.nodes
        if isinstance(node.operator, Add)
        for name in node.inputs
    ]
    signed = [integer.bits for integer in added if integer.kind is CodeKind.SIGNED]
    return max(signed, default=DEFAULT_RESIDUAL_BITS)
