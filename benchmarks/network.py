"""Whole EDSR-baseline x2 in 8 bits: this project beside ONNX Runtime, LiteRT and torch.

    python benchmarks/network.py [--sizes 128x128 270x480] [--threads 1 2] [--rounds 7]

Contenders take turns, one call each a round, so that other work on the machine slows all of them
alike; a first round compiles and warms up. Figures are medians over the rounds: seconds by the
clock, and seconds of processor time of the whole process, which a busy machine disturbs less.
Ratios are to ONNX Runtime, above 1 is faster. Every contender computes the same network: random
8-bit weights, 64 channels, 16 blocks; LiteRT's reference kernels take part in fewer rounds. ONNX
Runtime may not spin while it waits, for that would take the processor from the others. Where a
processor has no VNNI, it computes some sums wrong (they saturate at 16 bits) and is timed all the
same.
"""

import argparse
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version

import numpy as np
import onnxruntime
import torch
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from quantized_torch import QuantizedNetwork
from timing import Call, load, processor

from accelerators import load_accelerator
from hwsim.arithmetic import _threads
from hwsim.machine import KERNELS, execute, run_layerwise
from hwsim.schedule import schedule
from hwsim.verify.oracles import litert
from hwsim.verify.oracles.networks import random_edsr
from quant.common.codes import CodeKind
from quant.graph import Graph, IntegerType, Size
from quant.interchange.onnx_writer import onnx_model
from quant.interchange.tflite_writer import tflite_model
from quant.networks.registry import load_network

BLOCKS, CHANNELS = 16, 64
BASELINE = "ONNX Runtime, u8"
PACKAGES = ("numba", "onnxruntime", "ai-edge-litert", "torch")
U8, S8 = IntegerType(8), IntegerType(8, CodeKind.SIGNED)


@dataclass(slots=True)
class Contender:
    """A call to time, and the seconds it took: by the clock, and of the processor."""

    name: str
    call: Call
    rounds: int
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Call it once and keep the times."""
        wall, processor = time.perf_counter(), time.process_time()
        self.call()
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=["128x128", "270x480"], help="HEIGHTxWIDTH")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--slow-rounds",
        type=int,
        default=2,
        help="of LiteRT's reference kernels; 0 leaves them out",
    )
    arguments = parser.parse_args()
    # torch announces that it will remove its quantized tensors.
    warnings.filterwarnings("ignore", message="torch.quantize_per_tensor")
    print(f"{date.today()}, {processor()}, Python {platform.python_version()}")
    print(", ".join(f"{package} {version(package)}" for package in PACKAGES))
    for text in arguments.sizes:
        size = Size(*(int(side) for side in text.split("x")))
        for threads in arguments.threads:
            report(size, threads, arguments.rounds, arguments.slow_rounds)


def report(size: Size, threads: int, rounds: int, slow_rounds: int) -> None:
    """Time every contender on one size and print a line for each."""
    with torch.inference_mode(), our_threads(threads):
        torch.set_num_threads(threads)
        contenders, giga_macs = make_contenders(size, threads, rounds, slow_rounds)
        for contender in contenders:  # compiles and warms up
            contender.call()
        for number in range(rounds):
            for contender in contenders:
                if number < contender.rounds:
                    contender.run()
    print(f"\n{size}, {giga_macs:.1f} GMAC, threads {threads}, load {load()}")
    print("| | wall, ms | CPU, ms | GMAC per CPU-s | x ORT, wall | x ORT, CPU |")
    print("|---|---|---|---|---|---|")
    (baseline,) = (contender for contender in contenders if contender.name == BASELINE)
    base = [statistics.median(times) for times in (baseline.wall, baseline.processor)]
    for contender in contenders:
        wall, used = (statistics.median(times) for times in (contender.wall, contender.processor))
        print(
            f"| {contender.name} | {wall * 1e3:.0f} | {used * 1e3:.0f} | {giga_macs / used:.1f} | "
            f"{base[0] / wall:.2f} | {base[1] / used:.2f} |"
        )
    sys.stdout.flush()


def make_contenders(
    size: Size, threads: int, rounds: int, slow_rounds: int
) -> tuple[list[Contender], float]:
    """The calls to time, and the multiplications of one image in 10^9."""
    graphs = {
        mode: random_edsr(mode, integer, np.random.default_rng(0), BLOCKS, CHANNELS)
        for mode, integer in (("tflite_double", S8), ("xnnpack", S8), ("onnxruntime", U8))
    }
    shape = (size.height, size.width, 3)
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.int32)
    network = load_network("edsr_baseline_x2", random_seed=0)
    network = network.to(memory_format=torch.channels_last)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    image = image.contiguous(memory_format=torch.channels_last)
    contenders = [
        *(
            Contender(f"ours, layers, {mode}", layers_call(graph, pixels), rounds)
            for mode, graph in graphs.items()
        ),
        Contender(
            "ours, machine, tflite_double",
            machine_call(graphs["tflite_double"], pixels, threads),
            rounds,
        ),
        Contender(BASELINE, onnx_call(graphs["onnxruntime"], pixels, threads), rounds),
        Contender("LiteRT XNNPACK", litert_call(graphs["xnnpack"], pixels, threads), rounds),
        Contender(
            "LiteRT reference", litert_call(graphs["tflite_double"], pixels, threads), slow_rounds
        ),
        *(
            Contender(
                f"torch quantized {engine}",
                QuantizedNetwork(graphs["onnxruntime"], engine).call_on(pixels),
                rounds,
            )
            for engine in ("x86", "onednn")
        ),
        Contender("torch float32, channels last", lambda: network(image), rounds),
    ]
    timed = [contender for contender in contenders if contender.rounds]
    return timed, graphs["onnxruntime"].macs(size) / 1e9


def layers_call(graph: Graph, pixels: NDArray[np.int32]) -> Call:
    """Our kernels, layer by layer."""
    codes = codes_of(graph, pixels)
    return lambda: run_layerwise(graph, codes, KERNELS)


def machine_call(graph: Graph, pixels: NDArray[np.int32], threads: int) -> Call:
    """Our simulated accelerator, its schedule made beforehand."""
    accelerator, codes = load_accelerator("edge_npu"), codes_of(graph, pixels)
    program = schedule(graph, accelerator, Size(*pixels.shape[:2]))
    return lambda: execute(program, accelerator, codes, threads=threads)


def onnx_call(graph: Graph, pixels: NDArray[np.int32], threads: int) -> Call:
    """ONNX Runtime with all its optimizations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    content = onnx_model(graph, Size(*pixels.shape[:2]))
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    batch = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None].astype(np.uint8))
    return lambda: session.run(None, {graph.input.name: batch})


def litert_call(graph: Graph, pixels: NDArray[np.int32], threads: int) -> Call:
    """LiteRT's reference kernels for ``tflite_double``, its default for ``xnnpack``."""
    mode = graph.node("head").operator.requantization.rounding
    interpreter = Interpreter(
        model_content=tflite_model(graph, Size(*pixels.shape[:2]), mode),
        experimental_op_resolver_type=litert.DEFAULT if mode == "xnnpack" else litert.REFERENCE,
        num_threads=threads,
    )
    interpreter.allocate_tensors()
    index = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(index, codes_of(graph, pixels)[None].astype(np.int8))
    return interpreter.invoke


def codes_of(graph: Graph, pixels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Pixels as codes of a graph's input."""
    codes: NDArray[np.int32] = pixels + graph.input.output.integer.low
    return codes


@contextmanager
def our_threads(threads: int) -> Iterator[None]:
    """Let our kernels use so many threads, whatever ``NUMBA_NUM_THREADS`` says."""
    before = _threads.config.NUMBA_NUM_THREADS
    _threads.config.NUMBA_NUM_THREADS = threads
    try:
        yield
    finally:
        _threads.config.NUMBA_NUM_THREADS = before


if __name__ == "__main__":
    main()
