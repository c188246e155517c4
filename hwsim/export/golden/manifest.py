"""The manifest of a folder of test vectors: every file with its content, place and checksum."""

import hashlib
import json
from typing import Any

import hwsim
from hwsim.export.golden.words import Segment, hexadecimal
from hwsim.export.request import ExportRequest, Files
from hwsim.schedule import Program
from hwsim.schedule.commands import Convolve, Elementwise, Interpolate, LoadConstants
from hwsim.schedule.storage import DramTensor

MANIFEST = "manifest.json"
Entry = dict[str, Any]


class Manifest:
    """Hands files over and remembers them; `close` writes what it remembers.

    Attributes:
        word_bits: width of a word of memory images.
    """

    def __init__(self, files: Files, request: ExportRequest, program: Program) -> None:
        """Begin with what there is to know of network and machine."""
        self.word_bits = request.settings.word_bits
        self._files = files
        self._listed: list[Entry] = []
        self._tiles: list[Entry] = []
        accelerator = request.accelerator
        self._head: Entry = {
            "hwsim": hwsim.__version__,
            "network": request.graph.name,
            "accelerator": accelerator.name,
            "input_size": [request.size.height, request.size.width],
            "input": request.graph.input.name,
            "output": request.graph.output,
            "dram_bytes": program.dram_bytes,
            "sram_bytes": accelerator.sram.size_kib * 1024,
            "dram": [*_constants(program), *map(_tensor, program.tensors.values())],
        }

    def add(self, name: str, octets: bytes, **facts: Any) -> None:
        """Hand over a file of bytes; ``facts`` are what the manifest says of it."""
        self._files.write(name, lambda path: path.write_bytes(octets))
        checksum = hashlib.sha256(octets).hexdigest()
        self._listed.append({"file": name, **facts, "sha256": checksum})

    def add_memory(
        self, name: str, memory: str, segments: list[Segment], content: str, **facts: Any
    ) -> None:
        """Hand over a memory image.

        Args:
            name: of the file.
            memory: ``dram`` or ``sram``.
            segments: what is known of the memory.
            content: what it holds, in words.
            **facts: more for the manifest.
        """
        text = hexadecimal(segments, self.word_bits, f"{content}; {self.word_bits}-bit words")
        places = [
            {"name": each.name, "address": each.address, "bytes": len(each.octets)}
            for each in segments
        ]
        self.add(
            name,
            text.encode("ascii", errors="replace"),
            format="readmemh",
            memory=memory,
            word_bits=self.word_bits,
            content=content,
            **facts,
            places=places,
        )

    def add_tile(self, tile: Entry) -> None:
        """Note what a command is told."""
        self._tiles.append(tile)

    def close(self) -> None:
        """Write the manifest."""
        content = {**self._head, "files": self._listed, "tiles": self._tiles}
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        self._files.write(MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))


def _constants(program: Program) -> list[Entry]:
    """Where every block of constants lies in DRAM, and whose it is."""
    owners: dict[tuple[int, str], tuple[str, str]] = {}
    for command in program.commands:
        match command:
            case Convolve():
                owners[command.group, command.weights.name] = command.node, "weights"
                owners[command.group, command.parameters.name] = command.node, "parameters"
                if command.scaling is not None:
                    owners[command.group, command.scaling.points.name] = command.node, "points"
            case Elementwise() | Interpolate() if command.constants is not None:
                owners[command.group, command.constants.name] = command.node, "constants"
    loads = {
        command.address: command
        for command in program.commands
        if isinstance(command, LoadConstants)
    }
    entries = []
    for address, load in sorted(loads.items()):
        node, kind = owners[load.group, load.block.name]
        size = load.block.size_bytes
        entries.append({"name": node, "kind": kind, "address": address, "bytes": size})
    return entries


def _tensor(tensor: DramTensor) -> Entry:
    return {
        "name": tensor.name,
        "kind": "feature_map",
        "address": tensor.address,
        "bytes": tensor.size_bytes,
        "shape": [tensor.size.height, tensor.size.width, tensor.channels],
        "codes": str(tensor.integer),
        "row_bytes": tensor.row_bytes,
        "pixel_bytes": tensor.pixel_bytes,
    }
