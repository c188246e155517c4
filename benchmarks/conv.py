"""One convolution in 8 bits: this project's kernels beside ONNX Runtime, LiteRT and torch.

    python benchmarks/conv.py [--layers "64->64 3x3"] [--threads 1 2] [--rounds 9]

Contenders take turns, one call each a round, so that other work on the machine slows all of them
alike; a first round compiles and warms up. Figures are medians over the rounds: milliseconds by the
clock, and of processor time of the whole process, which a busy machine disturbs less. Ratios are to
ONNX Runtime with unsigned codes, above 1 is faster. Every contender computes the same layer and
requantizes; torch's float32 convolution only convolves. ONNX Runtime may not spin while it waits.
Where a processor has no VNNI, it computes some sums wrong (they saturate at 16 bits) and is timed
all the same. Engines that are not installed are named and left out.
"""

import argparse
import importlib.util
import platform
import sys
import warnings
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray
from timing import Call, load, measured, processor

from hwsim.arithmetic.convolution import KERNELS, pack_convolution
from hwsim.arithmetic.convolution_of_maps import Surroundings, convolve_map
from hwsim.arithmetic.geometry import Geometry, Padding
from quant.common.codes import CodeKind
from quant.graph import Convolution, Encoding, Graph, Input, IntegerType, Node, Size, TensorType
from quant.graph import Padding as GraphPadding
from quant.interchange.derivation import convolution

BASELINE = "ONNX Runtime, u8"
U8, S8 = IntegerType(8), IntegerType(8, CodeKind.SIGNED)
PACKAGES = {"numba": "numba", "onnxruntime": "onnxruntime", "ai-edge-litert": "ai_edge_litert"}
ENGINES = ("onednn", "fbgemm")


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with padding that keeps the size at stride 1."""

    inputs: int
    outputs: int
    side: int
    size: Size
    stride: int = 1
    groups: int = 1

    def __str__(self) -> str:
        extra = f" stride {self.stride}" * (self.stride > 1) + " depthwise" * (self.groups > 1)
        return f"{self.inputs}->{self.outputs} {self.side}x{self.side}{extra} on {self.size}"

    @property
    def giga_macs(self) -> float:
        """Multiplications in 10^9."""
        pixels = -(-self.size.height // self.stride) * -(-self.size.width // self.stride)
        return pixels * self.outputs * self.side**2 * self.inputs / self.groups / 1e9

    def graph(self, mode: str, integer: IntegerType) -> Graph:
        """The layer alone, with random weights, in a requantization mode."""
        random = np.random.default_rng(0)
        shape = (self.outputs, self.side, self.side, self.inputs // self.groups)
        weight = random.integers(-127, 128, shape)
        zero = 128 + integer.low
        spread = 74 * 37 * np.sqrt(np.prod(shape[1:]))  # standard deviation of the sums
        source = TensorType(self.inputs, integer, Encoding(1.0, (zero,)))
        target = TensorType(self.outputs, integer, Encoding(float(spread / 37), (zero,)))
        around = GraphPadding.even(self.side // 2, self.side // 2)
        bias, scales = np.zeros(self.outputs, np.int64), np.ones(self.outputs, np.float32)
        clamp = integer.low, integer.high
        operator = replace(
            convolution(mode, source, target, weight, bias, scales, around, clamp),
            stride=(self.stride, self.stride),
            groups=self.groups,
        )
        nodes = [
            Node("image", Input(), (), source),
            Node("codes", operator, ("image",), target),
        ]
        return Graph.build("layer", nodes, "codes")


LAYERS = (
    Layer(64, 64, 3, Size(128, 128)),
    Layer(64, 64, 3, Size(270, 480)),
    Layer(64, 64, 1, Size(128, 128)),
    Layer(64, 64, 3, Size(129, 129), stride=2),  # odd, so that everybody pads it alike
    Layer(64, 64, 3, Size(128, 128), groups=64),
    Layer(3, 64, 3, Size(128, 128)),
    Layer(64, 3, 3, Size(256, 256)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--layers", nargs="+", default=[""], help="parts of the layers' names")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    # torch announces that it will remove its quantized tensors.
    warnings.filterwarnings("ignore", module="torch")
    warnings.filterwarnings("ignore", message="torch.quantize_per_tensor")
    installed = [name for name, module in PACKAGES.items() if importlib.util.find_spec(module)]
    print(f"{date.today()}, {processor()}, Python {platform.python_version()}")
    print(f"Our rows: {', '.join(kernel.name for kernel in KERNELS)}")
    print(", ".join(f"{package} {version(package)}" for package in [*installed, "torch"]))
    for package in PACKAGES.keys() - {*installed}:
        print(f"{package} is not installed and left out")
    for layer in LAYERS:
        if any(part in str(layer) for part in arguments.layers):
            for threads in arguments.threads:
                report(layer, threads, arguments.rounds, installed)


def report(layer: Layer, threads: int, rounds: int, installed: list[str]) -> None:
    """Time every contender on a layer and print a line for each."""
    torch.set_num_threads(threads)
    with torch.inference_mode():
        calls = contenders(layer, threads, installed)
        seconds = measured(calls, rounds)
    print(f"\n{layer}, {layer.giga_macs:.2f} GMAC, threads {threads}, load {load()}")
    print("| | wall, ms | CPU, ms | GMAC per CPU-s | x ORT, wall | x ORT, CPU |")
    print("|---|---|---|---|---|---|")
    base = seconds.get(BASELINE, (float("nan"),) * 2)
    for name, (wall, used) in seconds.items():
        print(
            f"| {name} | {wall * 1e3:.2f} | {used * 1e3:.2f} | {layer.giga_macs / used:.1f} | "
            f"{base[0] / wall:.2f} | {base[1] / used:.2f} |"
        )
    sys.stdout.flush()


def contenders(layer: Layer, threads: int, installed: list[str]) -> dict[str, Call]:
    """The calls to time, all on the same pixels."""
    shape = (layer.size.height, layer.size.width, layer.inputs)
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    codes = (pixels.astype(np.int32) - 128).astype(np.int8)
    calls = {
        f"ours, {mode}": our_call(layer.graph(mode, S8), codes, threads)
        for mode in ("tflite_double", "xnnpack")
    }
    if "onnxruntime" in installed:
        for name, integer, image in ((BASELINE, U8, pixels), ("ONNX Runtime, s8", S8, codes)):
            calls[name] = onnx_call(layer.graph("onnxruntime", integer), layer.size, image, threads)
    if "ai-edge-litert" in installed:
        calls |= litert_calls(layer, codes, threads)
    for engine in ENGINES:
        if engine in torch.backends.quantized.supported_engines:
            calls[f"torch quantized {engine}"] = torch_call(layer, pixels, engine)
    image, weight = (channels_last(array) for array in (pixels[None], weights(layer)))
    calls["torch float32, channels last"] = lambda: torch.nn.functional.conv2d(
        image, weight, None, layer.stride, layer.side // 2, 1, layer.groups
    )
    return calls


def our_call(graph: Graph, codes: NDArray[np.int8], threads: int) -> Call:
    """Our kernels, on constants laid out beforehand."""
    operator = graph.node("codes").operator
    assert isinstance(operator, Convolution)
    packed = pack_convolution(
        operator.weight.astype(np.int32),
        operator.bias,
        operator.requantization,
        S8.low,
        S8.high,
        Geometry(operator.stride, operator.dilation, operator.groups),
    )
    padding = operator.padding
    around = Surroundings(
        Padding(padding.top, padding.bottom, padding.left, padding.right),
        operator.pad_code.astype(np.int32),
    )
    return lambda: convolve_map(packed, codes, around, threads)


def onnx_call(graph: Graph, size: Size, image: NDArray[np.integer], threads: int) -> Call:
    """ONNX Runtime with all its optimizations."""
    import onnxruntime

    from quant.interchange.onnx_writer import onnx_model

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        onnx_model(graph, size), options, providers=["CPUExecutionProvider"]
    )
    batch = np.ascontiguousarray(image.transpose(2, 0, 1)[None])
    return lambda: session.run(None, {"image": batch})


def litert_calls(layer: Layer, codes: NDArray[np.int8], threads: int) -> dict[str, Call]:
    """LiteRT behind the XNNPACK delegate, and with its optimized kernels."""
    from ai_edge_litert.interpreter import Interpreter

    from hwsim.verify.oracles import litert
    from quant.interchange.tflite_writer import tflite_model

    calls: dict[str, Call] = {}
    for name, kernels in (("XNNPACK", litert.DEFAULT), ("optimized", litert.OPTIMIZED)):
        interpreter = Interpreter(
            model_content=tflite_model(layer.graph("xnnpack", S8), layer.size, "xnnpack"),
            experimental_op_resolver_type=kernels,
            num_threads=threads,
        )
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], codes[None])
        calls[f"LiteRT {name}"] = interpreter.invoke
    return calls


def torch_call(layer: Layer, pixels: NDArray[np.uint8], engine: str) -> Call:
    """Torch's quantized convolution with one of its engines."""
    operators = torch.ops.quantized
    image = torch._make_per_tensor_quantized_tensor(
        torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()), 1.0, 128
    ).contiguous(memory_format=torch.channels_last)
    weight = torch._make_per_channel_quantized_tensor(
        torch.from_numpy(weights(layer).transpose(0, 3, 1, 2).astype(np.int8)),
        torch.ones(layer.outputs, dtype=torch.float64),
        torch.zeros(layer.outputs, dtype=torch.int64),
        0,
    )
    scale = layer.graph("onnxruntime", U8).node("codes").output.encoding.scale
    stride, padding = [layer.stride] * 2, [layer.side // 2] * 2
    torch.backends.quantized.engine = engine
    packed = operators.conv2d_prepack(weight, None, stride, padding, [1, 1], layer.groups)

    def call() -> object:
        torch.backends.quantized.engine = engine
        return operators.conv2d(image, packed, scale, 128)

    return call


def weights(layer: Layer) -> NDArray[np.int64]:
    """Those of the layer's graphs."""
    operator = layer.graph("xnnpack", S8).node("codes").operator
    assert isinstance(operator, Convolution)
    return operator.weight


def channels_last(array: NDArray[np.integer]) -> torch.Tensor:
    """[N, H, W, C] as a float32 tensor of torch's order, stored as it is given."""
    tensor = torch.from_numpy(array.transpose(0, 3, 1, 2).astype(np.float32))
    return tensor.contiguous(memory_format=torch.channels_last)


if __name__ == "__main__":
    main()
