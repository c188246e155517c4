"""DRAM as it must be before and after an image, and with every feature map that is stored."""

from urllib.parse import quote

import numpy as np

from hwsim.arithmetic.packing import pack_rows
from hwsim.export.golden.manifest import Manifest
from hwsim.export.golden.numbers import Maps
from hwsim.export.golden.words import Segment
from hwsim.machine.sums import octets_of_sums
from hwsim.schedule import Program
from hwsim.schedule.storage import DramTensor, is_sum

BEFORE, AFTER, STORED = "dram/before.hex", "dram/after.hex", "dram/stored"


def write_dram_images(program: Program, maps: Maps, manifest: Manifest) -> None:
    """Write DRAM images, feature maps as the layer-by-layer computation gives them.

    A feature map that is needed no longer gives its place to others: ``after`` has the output
    alone, and each stored one has a file of what it is as long as it is there.
    """
    constants = Segment("constants", 0, program.constants)
    image = _rows(program.input, maps)
    before = [constants, *image] if len(program.constants) else image
    manifest.add_memory(BEFORE, "dram", before, "constants and the image")
    after = _rows(program.output, maps)
    manifest.add_memory(AFTER, "dram", after, f"the output, {program.output.name}")
    for name, tensor in program.tensors.items():
        file = f"{STORED}/{quote(name, safe='')}.hex"
        manifest.add_memory(file, "dram", _rows(tensor, maps), f"the feature map {name}", node=name)


def _rows(tensor: DramTensor, maps: Maps) -> list[Segment]:
    """The rows of a feature map, each with its payload alone."""
    codes = maps[tensor.name].astype(np.int32 if not is_sum(tensor.integer) else np.int64)
    if is_sum(tensor.integer):
        codes = octets_of_sums(codes.astype(np.int64), tensor.integer.bits // 8)
    height, width = tensor.size.height, tensor.size.width
    payload = width * tensor.pixel_bytes
    memory = np.zeros(height * payload, np.uint8)
    starts = tuple(range(0, height * payload, payload))
    contiguous = np.ascontiguousarray(codes, np.int32)
    pack_rows(contiguous, memory, starts, tensor.pixel_bytes, 0, tensor.code)
    return [
        Segment(tensor.name, tensor.pixel_address(row, 0), memory[row * payload :][:payload])
        for row in range(height)
    ]
