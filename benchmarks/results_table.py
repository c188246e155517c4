"""The README's results: quality on a folder of pictures, cost of one image, per policy and machine.

    python benchmarks/results_table.py --hr DIR [--network NAME] [--method NAME] [--size HxW]
                                       [--policies POLICY …]

Every picture of the folder is an original: its bicubic reduction goes through the integer graph
(layer by layer; schedules give the same integers, which the tests prove) and the result is judged
on luma PSNR with a border of the scale cut off. Costs are modelled for one image of ``--size``.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from accelerators import EnergyModel, load_accelerator, load_energy_table
from hwsim.cost import ProgramCost
from hwsim.machine import KERNELS, run_layerwise
from hwsim.simulation import estimate
from quant.graph import Graph, Size
from quant.imaging import (
    bicubic_downscale,
    bicubic_upscale,
    calibration_photographs,
    crop_to_multiple,
    luma_psnr_db,
    read_image,
)
from quant.methods import quantizer
from quant.networks import load_network, network_config
from quant.networks.inference import super_resolve
from quant.policy import BitPolicy

POLICIES = ("w8a8", "w6a6", "mixed_edsr_tiny_x2", "w4a8", "w4a4", "w2a2")
MACHINES = ("edge_npu", "tiny_npu")
Picture = NDArray[np.uint8]


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--hr", type=Path, required=True, help="folder of original pictures")
    parser.add_argument("--network", default="edsr_tiny_x2")
    parser.add_argument("--method", default="minmax")
    parser.add_argument("--size", default="256x256", help="input image whose cost is stated")
    parser.add_argument("--policies", nargs="+", default=POLICIES, help="bits, a row each")
    arguments = parser.parse_args()
    for line in _table(arguments):
        print(line)


def _table(arguments: argparse.Namespace) -> Iterator[str]:
    scale = network_config(arguments.network).scale
    size = Size(*(int(side) for side in arguments.size.split("x")))
    originals = [
        crop_to_multiple(read_image(file), scale) for file in sorted(arguments.hr.iterdir())
    ]
    inputs = [bicubic_downscale(original, scale) for original in originals]

    def mean_psnr_db(pictures: list[Picture]) -> float:
        pairs = zip(originals, pictures, strict=True)
        return float(np.mean([luma_psnr_db(original, made, scale) for original, made in pairs]))

    network = load_network(arguments.network)
    build = quantizer(network, arguments.method, calibration_photographs(scale), arguments.network)
    float_db = mean_psnr_db([super_resolve(network, image) for image in inputs])
    bicubic_db = mean_psnr_db([bicubic_upscale(image, scale) for image in inputs])
    yield f"float {float_db:.2f} dB, bicubic {bicubic_db:.2f} dB; input {size.height}×{size.width}"
    yield ""
    yield "| policy | PSNR, dB | against float | machine | latency, ms | energy, mJ | DRAM, MiB |"
    yield "|---|---|---|---|---|---|---|"
    for policy in track(arguments.policies, "policies", console=Console(stderr=True)):
        graph = build(BitPolicy.load(policy))
        psnr_db = mean_psnr_db([_super_resolved(graph, image) for image in inputs])
        for name in MACHINES:
            cost = _cost(graph, name, size)
            dram_mib = (cost.dram_read_bytes + cost.dram_write_bytes) / 2**20
            yield (
                f"| {policy} | {psnr_db:.2f} | {psnr_db - float_db:+.2f} | {name} | "
                f"{cost.latency_ms:.2f} | {cost.energy_uj / 1e3:.2f} | {dram_mib:.1f} |"
            )


def _super_resolved(graph: Graph, image: Picture) -> Picture:
    return run_layerwise(graph, image.astype(np.int32), KERNELS).astype(np.uint8)


def _cost(graph: Graph, machine: str, size: Size) -> ProgramCost:
    accelerator = load_accelerator(machine)
    energy = EnergyModel(accelerator, load_energy_table(accelerator.energy_table))
    return estimate(graph, accelerator, energy, size).cost


if __name__ == "__main__":
    main()
