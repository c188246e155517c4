"""A co-search that takes a few seconds: two methods on machines of different sizes and clocks."""

from functools import cache

import numpy as np

from accelerators import Accelerator, load_accelerator
from hwsim.search import BuildGraph, Limits, Pictures, Resource, SearchRequest, Target
from hwsim.search.codesign import CodesignResult, Rejected, Variant, codesign
from quant.graph import Size
from tests.machines import prices

SIZE = Size(12, 12)
REQUEST = SearchRequest(
    SIZE,
    widths=(4, 8),
    minimize=Resource.LATENCY,
    front_points=3,
    uniform_widths=(4, 8),
    limits=Limits(min_psnr_db=30.0),
)
METHODS = {"bright": 1, "<b>dark</b>": 4}
"""From names that no page must believe to what pictures are divided by before calibration."""

REJECTED = (Rejected("edge_npu[array.rows=256]", "sram: too few <banks>"),)


def machines() -> list[Accelerator]:
    """A fast clock with few rows, a slow one with many, and one without room."""
    common = {"array.columns": 4, "scheduling.fusion": False}
    return [
        load_accelerator("edge_npu", common | {"array.rows": 4, "clock_mhz": 1600}),
        load_accelerator("edge_npu", common | {"array.rows": 32, "clock_mhz": 200}),
        load_accelerator("edge_npu", common | {"array.rows": 2, "sram.size_kib": 1}),
    ]


@cache
def network() -> tuple[dict[str, BuildGraph], Pictures]:
    """A tiny random EDSR: its quantizers by `METHODS`, and what it should compute."""
    import torch

    from quant.methods import quantizer
    from quant.networks.build import build_network
    from quant.networks.config import EDSRConfig

    net = build_network(EDSRConfig(blocks=1, channels=6, scale=2), seed=4).eval()
    images = [np.random.default_rng(8).integers(0, 256, (8, 8, 3), np.uint8)]
    with torch.no_grad():
        references = [
            net(torch.from_numpy(image).permute(2, 0, 1)[None].float())[0]
            .clamp(0, 255).permute(1, 2, 0).numpy()
            for image in images
        ]  # fmt: skip
    build: dict[str, BuildGraph] = {
        name: quantizer(net, "minmax", [image // divisor for image in images])
        for name, divisor in METHODS.items()
    }
    return build, Pictures([image.astype(np.int32) for image in images], references)


def variants(request: SearchRequest = REQUEST) -> list[Variant]:
    """Every method on every machine."""
    return [
        Variant(f"{machine.name}, {method}", method, target, request, build)
        for method, build in network()[0].items()
        for machine in machines()
        for target in [Target(machine, prices(machine), SIZE)]
    ]


@cache
def small_codesign() -> CodesignResult:
    """The co-search."""
    return codesign(variants(), network()[1], rejected=REJECTED)
