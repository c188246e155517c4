"""Every reader of files, with small valid files to begin with and ways to change them."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from PIL import Image

from accelerators import load_accelerator
from accelerators.catalog import (
    load_datapath_factors,
    load_dram_table,
    load_energy_table,
    load_sram_table,
)
from accelerators.synthesis.liberty import Library
from hwsim.cli.recorded_runs import read_run
from hwsim.verify.oracles.random_onnx import RandomModel
from hwsim.verify.rtl.port_file import read_port_file
from hwsim.verify.tensor_files import read_tensors, wanted_tensors
from quant.graph import Size, save_graph
from quant.graph.adaptive_file import load_any_graph, save_any_graph
from quant.graph.serialization import _checksum
from quant.imaging import read_image
from quant.interchange.onnx_model import load_model
from quant.interchange.onnx_reader import is_quantized, picture_graph_of
from quant.interchange.tflite_reader import read_pictures_tflite
from quant.interchange.tflite_writer import tflite_model
from quant.lowering.exported_network import read_exported
from quant.lowering.fold import fold
from quant.lowering.onnx_network import network_of
from quant.methods.learning.learned import load_learned
from quant.networks.weights import read_state
from quant.policy import BitPolicy
from quant.training.checkpoint import read_checkpoint
from tests.adaptive_graphs import adaptive_graph
from tests.fuzzing.mutations import (
    Mutate,
    Random,
    mutate_archive,
    mutate_bytes,
    mutate_json,
    mutate_message,
    mutate_text,
)
from tests.fuzzing.rewiring import rewire_exported, rewire_onnx, rewire_tflite
from tests.onnx_exports import export
from tests.small_run import small_run
from tests.sr_networks import random_network
from tests.unit.accelerators.synthesis import small_library
from tests.unit.interchange.small_graphs import small_graph
from tests.wide_tflite import wide_network

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of files.

    Attributes:
        name: as summaries call it.
        suffix: of its files.
        samples: makes valid files in a folder, once.
        mutations: ways to change one; each is as likely.
        read: what must end in a value or in a `UserError`.
    """

    name: str
    suffix: str
    samples: Callable[[Path], Sequence[bytes]]
    mutations: tuple[Mutate, ...]
    read: Callable[[Path], object]


def _onnx_message(content: bytes, random: Random) -> bytes:
    """Fields of the model changed, none, one or several."""
    from onnx import ModelProto

    model = ModelProto.FromString(content)
    for _ in range(int(random.geometric(0.5))):
        mutate_message(model, random)
    changed: bytes = model.SerializeToString()
    return changed


def _random_onnx(_: Path) -> list[bytes]:
    made = []
    for seed, (style, signed) in enumerate((s, b) for s in ("QDQ", "QLinear") for b in (0, 1)):
        model = RandomModel(np.random.default_rng(seed), style, bool(signed))
        made.append(model.content(6))
    return made


def _random_qonnx(_: Path) -> list[bytes]:
    from hwsim.verify.oracles.random_qonnx import RandomQonnx

    return [RandomQonnx(np.random.default_rng(s), powers_of_two=True).content(5) for s in range(4)]


def _float_onnx(folder: Path) -> list[bytes]:
    names = ("ABPN", "IMDN", "FSRCNN", "ECBSR")
    paths = [export(random_network(name), folder / f"{name}.onnx") for name in names]
    return [path.read_bytes() for path in paths]


def _read_onnx(path: Path) -> object:
    model = load_model(path)
    if is_quantized(model):
        return picture_graph_of(model)
    return fold(network_of(model, "fuzzed", 1.0))


def _tflite(_: Path) -> list[bytes]:
    wide = wide_network(np.random.default_rng(0), blocks=1, channels=4)
    return [tflite_model(small_graph("tflite_double"), Size(6, 8)), wide]


def _exported(folder: Path) -> list[bytes]:
    made = []
    for name in ("XLSR", "ECBSR"):
        program = torch.export.export(random_network(name), (torch.zeros(1, 3, 24, 32),))
        torch.export.save(program, folder / f"{name}.pt2")
        made.append((folder / f"{name}.pt2").read_bytes())
    return made


def _graphs(folder: Path) -> list[bytes]:
    save_graph(small_graph("tflite_double"), folder / "small.hwgraph")
    save_any_graph(adaptive_graph(), folder / "adaptive.hwgraph")
    return [(folder / f"{name}.hwgraph").read_bytes() for name in ("small", "adaptive")]


def _graph_record(content: bytes, random: Random) -> bytes:
    """The record of a graph file changed, its checksum made to fit."""
    length = int.from_bytes(content[:8], "little")
    ((kind, text),) = json.loads(content[8 : 8 + length])["__metadata__"].items()
    envelope, arrays = json.loads(text), safetensors.numpy.load(content)
    record = json.loads(envelope["graph"])
    for _ in range(int(random.geometric(0.5))):
        record = mutate_json(record, random)
    if arrays and random.random() < 0.3:
        name = list(arrays)[int(random.integers(len(arrays)))]
        changed = arrays[name].reshape(-1)[: int(random.integers(1, arrays[name].size + 1))]
        arrays[name] = np.ascontiguousarray(changed)
    envelope["graph"] = json.dumps(record)
    envelope["sha256"] = _checksum(envelope["graph"], arrays)
    return safetensors.numpy.save(arrays, {kind: json.dumps(envelope)})


def _images(_: Path) -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 13, 3), np.uint8)
    made = []
    for kind, mode in (("PNG", "RGB"), ("PNG", "P"), ("JPEG", "RGB"), ("TIFF", "RGB"),
                       ("BMP", "RGB"), ("GIF", "P"), ("WEBP", "RGB"), ("PPM", "RGB")):  # fmt: skip
        content = io.BytesIO()
        Image.fromarray(pixels).convert(mode).save(content, kind)
        made.append(content.getvalue())
    return made


def _files(*patterns: str) -> Callable[[Path], list[bytes]]:
    return lambda _: [
        path.read_bytes() for pattern in patterns for path in sorted(ROOT.glob(pattern))
    ]


def _weights(_: Path) -> list[bytes]:
    state = {"body.weight": torch.zeros(2, 3, 3, 3), "body.bias": torch.ones(2)}
    content = io.BytesIO()
    torch.save({"params": state}, content)
    return [content.getvalue()]


def _safe_weights(_: Path) -> list[bytes]:
    return [safetensors.numpy.save({"a.weight": np.zeros((2, 3), np.float32)}, {"x": "y"})]


def _learned(_: Path) -> list[bytes]:
    shipped = sorted((ROOT / "quant/methods/learned").glob("*.safetensors"))
    return [min(shipped, key=lambda path: path.stat().st_size).read_bytes()]


def _tensors(suffix: str) -> Callable[[Path], list[bytes]]:
    def samples(_: Path) -> list[bytes]:
        codes = np.zeros((12, 16, 1), np.int32)
        content = io.BytesIO()
        if suffix == ".npy":
            np.save(content, codes)
        elif suffix == ".npz":
            np.savez(content, out=codes)
        else:
            content.write(b"\n".join([b"00"] * codes.size))
        return [content.getvalue()]

    return samples


def _read_tensors(path: Path) -> object:
    graph = small_graph("tflite_double")
    return read_tensors(path, wanted_tensors(graph, Size(6, 8)), graph.output)


def _recorded_runs(_: Path) -> list[bytes]:
    return [small_run().result.to_json().encode()]


def _json_values(content: bytes, random: Random) -> bytes:
    record = json.loads(content)
    for _ in range(int(random.geometric(0.5))):
        record = mutate_json(record, random)
    return json.dumps(record).encode()


def _checkpoints(_: Path) -> list[bytes]:
    content = io.BytesIO()
    torch.save({"format": 2, "iteration": 3, "network": {"a.weight": torch.zeros(2, 3)}}, content)
    return [content.getvalue()]


def _port_files(_: Path) -> list[bytes]:
    """The example of the page."""
    page = (ROOT / "docs/rtl/your_own.md").read_text(encoding="utf-8")
    return [page.split("```yaml\n")[1].split("```")[0].encode()]


def readers() -> tuple[Reader, ...]:
    """Every reader of files that users name."""
    onnx: tuple[Mutate, ...] = (mutate_bytes, _onnx_message, rewire_onnx)
    yaml: tuple[Mutate, ...] = (mutate_text,)
    plain: tuple[Mutate, ...] = (mutate_bytes,)
    state: Callable[[Path], Any] = read_state
    return (
        Reader("ONNX, QDQ and QLinear", ".onnx", _random_onnx, onnx, _read_onnx),
        Reader("ONNX, QONNX", ".onnx", _random_qonnx, onnx, _read_onnx),
        Reader("ONNX, float", ".onnx", _float_onnx, onnx, _read_onnx),
        Reader(
            "TensorFlow Lite", ".tflite", _tflite, (mutate_bytes, rewire_tflite),
            read_pictures_tflite,
        ),
        Reader(
            "torch.export", ".pt2", _exported, (mutate_bytes, mutate_archive, rewire_exported),
            lambda path: fold(read_exported(path, "fuzzed", 1.0)),
        ),
        Reader("graph", ".hwgraph", _graphs, (mutate_bytes, _graph_record), load_any_graph),
        Reader(
            "accelerator", ".yaml", _files("configs/accelerators/*_npu.yaml"), yaml,
            load_accelerator,
        ),
        Reader(
            "energy table", ".yaml", _files("configs/energy_tables/*.yaml"), yaml,
            load_energy_table,
        ),
        *(
            Reader(f"{name} table", ".yaml", _files(f"configs/energy_tables/{pattern}"), yaml, read)
            for name, pattern, read in (
                ("SRAM", "sram/*.yaml", load_sram_table),
                ("DRAM", "dram/*.yaml", load_dram_table),
                ("datapath", "datapaths/nangate45.yaml", load_datapath_factors),
            )
        ),
        Reader("ports of Verilog", ".yaml", _port_files, yaml, read_port_file),
        Reader(
            "cell library", ".lib", lambda _: [small_library.TEXT.encode()],
            (mutate_bytes, mutate_text), Library,
        ),
        Reader("recorded run", ".json", _recorded_runs, (mutate_bytes, _json_values), read_run),
        Reader("bit policy", ".yaml", _files("configs/policies/*.yaml"), yaml, BitPolicy.load),
        Reader("image", ".img", _images, plain, read_image),
        Reader("weights, torch", ".pt", _weights, (mutate_bytes, ), state),
        Reader("checkpoint", ".pt", _checkpoints, plain, read_checkpoint),
        Reader("weights, safetensors", ".safetensors", _safe_weights, plain, state),
        Reader("learned parameters", ".safetensors", _learned, plain, load_learned),
        *(
            Reader(f"tensors, {suffix}", suffix, _tensors(suffix), plain, _read_tensors)
            for suffix in (".npy", ".npz", ".hex")
        ),
    )  # fmt: skip
