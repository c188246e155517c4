"""Seconds for a whole network: layer-by-layer kernels, the scheduled machine, and torch.

    python benchmarks/network.py [--networks edsr_baseline_x2] [--side 128] [--rounds 5]

Contenders take turns, one call each a round, so that other work on the machine slows all of them
alike. Figures are medians over the rounds, by the clock and in seconds of processor time, which a
busy machine disturbs less; ratios are of processor times to torch's float32. A first round only
compiles and warms up. Weights are random: no integer takes longer than another.
"""

import argparse

import numpy as np
import torch
from conv_kernels import Call, load, measured

from accelerators import load_accelerator
from hwsim.machine import KERNELS, execute, run_layerwise
from hwsim.schedule import schedule
from quant.graph import Size
from quant.methods import quantize
from quant.networks.registry import load_network
from quant.policy import BitPolicy

NETWORKS = ("edsr_baseline_x2", "edsr_tiny_x2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--side", type=int, default=128, help="pixels of the input, each way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--accelerator", default="edge_npu")
    parser.add_argument("--bits", default="w8a8")
    arguments = parser.parse_args()
    for network in arguments.networks:
        calls, giga_macs = contenders(
            network, arguments.side, arguments.accelerator, arguments.bits
        )
        seconds = measured(calls, arguments.rounds)
        side, bits = arguments.side, arguments.bits
        print(f"{network} {bits}, {side}x{side}, {giga_macs:.1f} GMAC, load {load()}")
        report(seconds, giga_macs)


def contenders(
    name: str, side: int, accelerator_name: str, bits: str
) -> tuple[dict[str, Call], float]:
    """The calls to time, and the multiplications of one image in 10^9."""
    network = load_network(name, random_seed=0)
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    graph = quantize(network, "minmax", BitPolicy.parse(bits), [image[:64, :64]], name)
    accelerator = load_accelerator(accelerator_name)
    size = Size(side, side)
    program = schedule(graph, accelerator, size)
    codes = image.astype(np.int32)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()

    def torch_float32() -> object:
        with torch.inference_mode():
            return network(pixels)

    calls: dict[str, Call] = {
        "torch float32": torch_float32,
        "layer by layer": lambda: run_layerwise(graph, codes, KERNELS),
        "schedule": lambda: schedule(graph, accelerator, size),
        "machine": lambda: execute(program, accelerator, codes),
    }
    return calls, graph.macs(size) / 1e9


def report(seconds: dict[str, tuple[float, float]], giga_macs: float) -> None:
    _, baseline = seconds["torch float32"]
    for name, (wall, processor) in seconds.items():
        rate = "" if name == "schedule" else f"{giga_macs / processor:7.1f} GMAC/CPU-s"
        print(
            f"  {name:15} {wall:7.3f} s {processor:7.3f} CPU-s "
            f"{processor / baseline:6.2f} x float32 {rate}"
        )


if __name__ == "__main__":
    main()
