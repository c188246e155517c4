"""Seconds and memory of a whole image on the machine: schedule, verify, cost, execute.

    python benchmarks/machine.py [--sizes 128x128 480x270 960x540] [--network edsr_baseline_x2]

Each size runs in a process of its own, without torch, that first runs a small image, so that
kernels are compiled and loaded. Seconds are given by the clock and as processor time of all
threads, which other work on the machine disturbs less. "schedule" contains a verification;
"verify" repeats it alone. Memory is the process's peak until the machine is done, and
the machine's output is compared with the layer-by-layer kernels' in every integer. Weights are
random: no integer takes longer than another.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from accelerators import EnergyModel, load_accelerator, load_energy_table
from hwsim.cost import program_cost
from hwsim.machine import KERNELS, execute, run_layerwise
from hwsim.schedule import schedule, verify_program
from quant.graph import Size
from quant.graph.serialization import load_graph, save_graph

Result = TypeVar("Result")
WARM_UP = Size(16, 16)
STAGES = ("schedule", "verify", "cost", "execute", "layer by layer")


@dataclass(frozen=True, slots=True)
class Measurement:
    """Wall and processor seconds by stage, the program's length, peak MiB, integers that differ."""

    seconds: dict[str, tuple[float, float]]
    commands: int
    peak_mib: float
    mismatches: int
    values: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=["128x128", "480x270", "960x540"])
    parser.add_argument("--network", default="edsr_baseline_x2")
    parser.add_argument("--accelerator", default="edge_npu")
    parser.add_argument("--bits", default="w8a8")
    arguments = parser.parse_args()
    sizes = [tuple(int(side) for side in size.split("x")) for size in arguments.sizes]
    print(f"{arguments.network} {arguments.bits} on {arguments.accelerator}, {processors()}")
    header = "".join(f"{stage:>18}" for stage in STAGES)
    print(f"{'width x height':>14}{header}{'run, wall':>12}{'peak MiB':>10}  mismatches")
    with TemporaryDirectory() as folder:
        graph_file = Path(folder) / "network.npz"
        context = get_context("spawn")  # a fork would inherit torch
        with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
            pool.submit(quantized, arguments.network, arguments.bits, graph_file).result()
            for width, height in sizes:
                measured = pool.submit(measure, graph_file, arguments.accelerator, width, height)
                report(f"{width}x{height}", measured.result())


def quantized(network: str, bits: str, graph_file: Path) -> None:
    """Quantize a network with random weights and save its graph; the only part that needs torch."""
    from quant.methods import quantize
    from quant.networks.registry import load_network
    from quant.policy import BitPolicy

    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    module = load_network(network, random_seed=0)
    save_graph(quantize(module, "minmax", BitPolicy.parse(bits), [image], network), graph_file)


def measure(graph_file: Path, accelerator_name: str, width: int, height: int) -> Measurement:
    """Take one image through every stage."""
    graph, accelerator = load_graph(graph_file), load_accelerator(accelerator_name)
    energy = EnergyModel(accelerator, load_energy_table(accelerator.energy_table))
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.int32)
    small = image[: WARM_UP.height, : WARM_UP.width]
    execute(schedule(graph, accelerator, WARM_UP), accelerator, small)
    run_layerwise(graph, small, KERNELS)
    seconds: dict[str, tuple[float, float]] = {}

    def timed(stage: str, call: Callable[[], Result]) -> Result:
        wall, processor = time.perf_counter(), time.process_time()
        result = call()
        seconds[stage] = time.perf_counter() - wall, time.process_time() - processor
        return result

    program = timed("schedule", lambda: schedule(graph, accelerator, Size(height, width)))
    timed("verify", lambda: verify_program(program, accelerator))
    timed("cost", lambda: program_cost(program, accelerator, energy))
    execution = timed("execute", lambda: execute(program, accelerator, image))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    expected = timed("layer by layer", lambda: run_layerwise(graph, image, KERNELS))
    mismatches = int((execution.output != expected).sum())
    return Measurement(seconds, len(program.commands), peak_mib, mismatches, expected.size)


def report(size: str, measured: Measurement) -> None:
    seconds = measured.seconds
    stages = "".join(f"{wall:10.2f} ({cpu:5.1f})" for wall, cpu in map(seconds.get, STAGES))
    run = sum(seconds[stage][0] for stage in ("schedule", "cost", "execute"))
    print(
        f"{size:>14}{stages}{run:10.2f} s{measured.peak_mib:10.0f}  "
        f"{measured.mismatches} of {measured.values}",
        flush=True,
    )


def processors() -> str:
    """How many processors this process may use, and how busy they are, to judge the figures by."""
    return f"{len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
