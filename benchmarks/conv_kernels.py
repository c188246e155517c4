"""Speed of the convolution kernels beside torch, in GMAC/s.

    python benchmarks/conv_kernels.py [--rounds 15] [--threads 1 2]

Contenders take turns, one call each a round, so that other work on the machine slows all of them
alike. Figures are medians over the rounds, by the clock and per second of processor time, which a
busy machine disturbs less; the ratio is of processor times. The kernels deliver requantized int32
codes, torch's float32 convolution a float map, its quantized one 8-bit codes.
"""

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch

from hwsim.arithmetic.convolution import KERNELS, convolve, pack_convolution
from quant.common.requantization import Requantization

LAYERS = ((128, 128, 64, 64), (128, 128, 32, 32))
"""Height, width, input and output channels; the kernel is 3x3."""

Call = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    # torch announces that its eager-mode quantization will be removed.
    warnings.filterwarnings("ignore", module="torch")
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for layer in LAYERS:
            report(layer, threads, arguments.rounds)


def report(layer: tuple[int, int, int, int], threads: int, rounds: int) -> None:
    height, width, inputs, outputs = layer
    giga_macs = height * width * inputs * outputs * 9 / 1e9
    calls = contenders(layer, threads)
    seconds = measured(calls, rounds)
    baseline = seconds["torch float32"][1]
    print(f"{inputs} -> {outputs}, 3x3 on {height}x{width}, {threads} threads, load {load()}")
    for name, (wall, processor) in seconds.items():
        print(
            f"  {name:14} {giga_macs / wall:7.1f} GMAC/s {giga_macs / processor:7.1f} GMAC/CPU-s "
            f"{baseline / processor:6.2f} x float32"
        )


def measured(calls: dict[str, Call], rounds: int) -> dict[str, tuple[float, float]]:
    """Median wall and processor seconds of each call; a first round only compiles and warms up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for recorded in [False] + [True] * rounds:
        for name, call in calls.items():
            wall, processor = time.perf_counter(), time.process_time()
            call()
            if recorded:
                times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {
        name: (statistics.median(w for w, _ in pairs), statistics.median(p for _, p in pairs))
        for name, pairs in times.items()
    }


def contenders(layer: tuple[int, int, int, int], threads: int) -> dict[str, Call]:
    """A call for each kernel and for torch, all on the same random 8-bit operands."""
    height, width, inputs, outputs = layer
    random = np.random.default_rng(0)
    ifm = random.integers(0, 128, (height + 2, width + 2, inputs), dtype=np.int32)
    weight = random.integers(-127, 128, (outputs, 3, 3, inputs), dtype=np.int32)
    bias, shift = np.zeros(outputs, np.int64), np.full(outputs, 42)
    multiplier = random.integers(2**30, 2**31, outputs)
    requantization = Requantization(multiplier, shift, 0, -128, 127)
    calls: dict[str, Call] = {}
    for kernel in KERNELS:
        packed = pack_convolution(weight, bias, requantization, 0, 127, kernels=[kernel])
        calls[kernel.name] = lambda packed=packed: convolve(packed, ifm, threads)
    image = torch.from_numpy(ifm.transpose(2, 0, 1)[None].astype(np.float32))
    filters = torch.from_numpy(weight.transpose(0, 3, 1, 2).astype(np.float32))
    image = image.contiguous(memory_format=torch.channels_last)
    filters = filters.contiguous(memory_format=torch.channels_last)
    calls["torch float32"] = lambda: torch.nn.functional.conv2d(image, filters)
    for engine in torch.backends.quantized.supported_engines:
        if engine in ("fbgemm", "onednn"):
            calls[f"torch {engine}"] = quantized_call(engine, image, filters)
    return calls


def quantized_call(engine: str, image: torch.Tensor, filters: torch.Tensor) -> Call:
    """A call of torch's quantized convolution with one of its engines."""
    torch.backends.quantized.engine = engine
    convolution = torch.ao.nn.quantized.Conv2d(filters.shape[1], filters.shape[0], 3, bias=False)
    convolution.set_weight_bias(torch.quantize_per_tensor(filters, 1.0, 0, torch.qint8), None)
    convolution.scale, convolution.zero_point = 1000.0, 64
    codes = torch.quantize_per_tensor(image, 1.0, 0, torch.quint8)

    def call() -> torch.Tensor:
        torch.backends.quantized.engine = engine
        return convolution(codes)

    return call


def load() -> str:
    """The machine's one-minute load average, by which to judge the figures."""
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    with torch.inference_mode():
        main()
