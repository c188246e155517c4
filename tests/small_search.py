"""A whole search on a tiny random network whose layers have names that no page must believe."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from hwsim.report.provenance import Provenance
from hwsim.search import (
    Allowed,
    BuildGraph,
    LayerRules,
    Limits,
    Pictures,
    Resource,
    SearchRequest,
    SearchResult,
    Target,
    search,
)
from quant.graph import Graph, Size
from quant.policy import BitPolicy, LayerBits, Override
from tests.machines import machine, prices

HOSTILE_NAMES = {
    "head.0": "</script><script>alert('head')</script>",
    "tail.1": '<img src="x" onerror="alert(1)"> & "tail"',
}
RULE = ("body.1", (LayerBits(2, 8), LayerBits(8, 8)))
"""A layer that may not have everything."""

PROVENANCE = Provenance(
    "<b>network</b>",
    {"command": "hwsim search --out '<i>folder</i>'"},
    {"pictures": "0" * 64},
    ("<u>control</u>",),
)


@cache
def small_search() -> SearchResult:
    """Least energy for 30 dB, and at most 0.62 µJ: points are measured for every reason."""
    build, pictures = _network()
    accelerator = machine(sram_kib=64, array=8)
    request = SearchRequest(
        Size(16, 16),
        widths=(2, 8),
        minimize=Resource.ENERGY,
        front_points=4,
        uniform_widths=(2, 4),
        local_search_evaluations=4,
        limits=Limits(max_energy_uj=0.62, min_psnr_db=30.0),
        rules=LayerRules((Allowed(*RULE),)),
    )
    return search(request, build, pictures, Target(accelerator, prices(accelerator), Size(16, 16)))


def _network() -> tuple[BuildGraph, Pictures]:
    import torch

    from quant.methods import quantizer
    from quant.networks.build import build_network
    from quant.networks.config import EDSRConfig

    network = build_network(EDSRConfig(blocks=1, channels=4, scale=2), seed=4).eval()
    images = [np.random.default_rng(8).integers(0, 256, (8, 8, 3), np.uint8)]
    with torch.no_grad():
        references = [
            network(torch.from_numpy(image).permute(2, 0, 1)[None].float())[0]
            .clamp(0, 255).permute(1, 2, 0).numpy()
            for image in images
        ]  # fmt: skip
    build = _renamed(quantizer(network, "minmax", images))
    return build, Pictures([image.astype(np.int32) for image in images], references)


def _renamed(build: Callable[[BitPolicy], Graph]) -> BuildGraph:
    """Layers bear hostile names in policies and graphs."""
    own = {hostile: name for name, hostile in HOSTILE_NAMES.items()}

    def renamed(policy: BitPolicy) -> Graph:
        overrides = tuple(
            Override(own.get(each.pattern, each.pattern), each.bits) for each in policy.overrides
        )
        graph = build(replace(policy, overrides=overrides))
        nodes = [
            replace(
                node,
                name=HOSTILE_NAMES.get(node.name, node.name),
                inputs=tuple(HOSTILE_NAMES.get(name, name) for name in node.inputs),
            )
            for node in graph.nodes
        ]
        return replace(
            graph, nodes=tuple(nodes), output=HOSTILE_NAMES.get(graph.output, graph.output)
        )

    return renamed
