"""Pictures per second of training: bfloat16 against float32 on this machine.

    python benchmarks/training.py [--networks edsr_baseline_x2] [--patch 48] [--threads 2]

A picture is one low-resolution patch with its original. Both precisions take turns, one step each
a round; figures are medians over the rounds, by the clock and in seconds of processor time. A first
round only warms up. Pictures are noise: no step takes longer than another.
"""

import argparse
from pathlib import Path

import torch
from timing import Call, load, measured

from quant.networks import network_config
from quant.training import TrainingConfig
from quant.training.hardware import choose_device, keep_freed_memory, uses_bfloat16
from quant.training.state import fresh_state
from quant.training.step import optimize

NETWORKS = ("edsr_baseline_x2", "mobile_sr_x2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--batch", type=int, default=16, help="patches per step")
    parser.add_argument("--patch", type=int, default=48, help="side of a low-resolution patch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    for network in arguments.networks:
        calls = contenders(network, arguments.batch, arguments.patch, arguments.device)
        seconds = measured(calls, arguments.rounds)
        side, batch = arguments.patch, arguments.batch
        threads = arguments.threads
        print(f"{network}, {batch} patches of {side}x{side}, {threads} threads, load {load()}")
        for name, (wall, processor) in seconds.items():
            rate = f"{batch / wall:8.1f} pictures/s {batch / processor:8.1f} pictures/CPU-s"
            print(f"  {name:8} {wall:7.3f} s {rate}")


def contenders(network: str, batch: int, patch: int, device_name: str) -> dict[str, Call]:
    """One training step in each precision, on the same pictures."""
    scale = network_config(network).scale
    calls: dict[str, Call] = {}
    for precision in ("float32", "bf16"):
        config = TrainingConfig(
            network=network, images=(Path(),), output=Path(), precision=precision,
            device=device_name,
        )  # fmt: skip
        device = choose_device(config)
        state = fresh_state(config, device)
        low, high = (
            torch.randint(256, (batch, 3, side, side), device=device, dtype=torch.float32)
            .contiguous(memory_format=torch.channels_last)
            for side in (patch, patch * scale)
        )  # fmt: skip
        bfloat16 = uses_bfloat16(config, device)
        calls[precision] = lambda state=state, config=config, low=low, high=high, b=bfloat16: float(
            optimize(state, config, low, high, rate=1e-5, bfloat16=b)
        )
    return calls


if __name__ == "__main__":
    main()
