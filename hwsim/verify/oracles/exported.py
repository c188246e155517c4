"""Exported files run by the engines that read them, every output code compared with the graph's."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.machine import KERNELS, run_layerwise
from hwsim.verify.checks import Check, Tally
from quant.common.errors import UserError
from quant.graph import Graph, TensorType

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ReadingEngine:
    """An engine that runs files of a format.

    Attributes:
        name: for reports.
        packages: what it needs, in the order in which it is imported.
        run: (content of the file, input codes, graph) to output codes.
    """

    name: str
    packages: tuple[str, ...]
    run: Callable[[bytes, Codes, Graph], Codes]


def check_file(format_name: str, content: bytes, graph: Graph, image: Codes) -> Check:
    """Run a file and compare its output with the graph computed layer by layer.

    Args:
        format_name: a name in `READING_ENGINES`.
        content: of the file.
        graph: that was written.
        image: int32 [height, width, channels], codes of the input.

    Raises:
        UserError: the engine is not installed.
    """
    engine = READING_ENGINES[format_name]
    for package in engine.packages:
        try:
            import_module(package)
        except ModuleNotFoundError as error:
            raise UserError(
                f"--check: {engine.name} needs '{error.name}', which is not installed; "
                f"pip install '{package.partition('.')[0].replace('_', '-')}', or leave it out"
            ) from error
    expected = run_layerwise(graph, image, KERNELS)
    tally = Tally(graph.name, engine.name, format_name)
    tally.compare(graph.output, engine.run(content, image, graph), expected)
    return tally.close()


def run_onnx(content: bytes, image: Codes, graph: Graph) -> Codes:
    """Output codes of ONNX Runtime, which takes and gives codes, channels first."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(content, options, providers=providers)
    (given,) = session.get_inputs()
    element = given.type.removeprefix("tensor(").removesuffix(")")
    batch = image.transpose(2, 0, 1)[None].astype(element)
    return _channels_last(session.run(None, {given.name: batch})[0])


def run_qonnx(content: bytes, image: Codes, graph: Graph) -> Codes:
    """Output codes of QONNX's executor, which takes and gives numbers, channels first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        import onnx
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.core.onnx_exec import execute_onnx

        model = ModelWrapper(onnx.load_from_string(content))
        facts = {entry.key: entry.value for entry in model.model.metadata_props}
        first, last = graph.input.output, graph.node(graph.output).output
        is_real = facts["hwsim.scales"] == "real"
        zero, offset = int(facts["hwsim.input_offset"]), int(facts["hwsim.output_offset"])
        batch = (image - zero).transpose(2, 0, 1)[None] * _step(first, is_real)
        name = model.graph.input[0].name
        (found,) = execute_onnx(model, {name: batch.astype(np.float32)}).values()
    return _channels_last(np.rint(found / _step(last, is_real)) + offset)


def run_tflite(content: bytes, image: Codes, graph: Graph) -> Codes:
    """Output codes of LiteRT's reference kernels, which take and give u8 codes less 128."""
    from hwsim.verify.oracles import litert

    first, last = graph.input.output, graph.node(graph.output).output
    moved = litert.model_file(content, image - _half(first)) + _half(last)
    return moved.astype(np.int32)


def _half(tensor: TensorType) -> int:
    return 128 if tensor.integer.low == 0 else 0


def _step(tensor: TensorType, is_real: bool) -> np.float32:
    return np.float32(tensor.encoding.scale if is_real else 1)


def _channels_last(batch: NDArray[Any]) -> Codes:
    codes: Codes = batch[0].transpose(1, 2, 0).astype(np.int32)
    return codes


READING_ENGINES: Mapping[str, ReadingEngine] = {
    "qonnx": ReadingEngine("QONNX", ("onnx", "qonnx.core.onnx_exec"), run_qonnx),
    "qdq": ReadingEngine("ONNX Runtime", ("onnxruntime",), run_onnx),
    "qlinear": ReadingEngine("ONNX Runtime", ("onnxruntime",), run_onnx),
    "tflite": ReadingEngine("LiteRT reference", ("ai_edge_litert", "tflite"), run_tflite),
}
"""By the name of the format."""
