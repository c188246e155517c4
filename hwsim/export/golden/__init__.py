"""Test vectors for RTL: what every layer is given and must make, as numbers and in memories.

A folder with a manifest that names every file, what it holds, where it lies and its checksum;
`docs/export.md` describes the files.
"""

from hwsim.export.golden.manifest import Manifest
from hwsim.export.golden.memories import write_dram_images
from hwsim.export.golden.numbers import write_numbers
from hwsim.export.golden.tiles import write_tiles
from hwsim.export.request import ExportRequest, Files
from hwsim.schedule import schedule


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write the vectors of one image.

    Raises:
        ScheduleError: the graph does not fit the machine.
        AccumulatorOverflow: a sum leaves an accumulator whose overflow is ``error``.
    """
    assert request.image is not None
    program = schedule(request.graph, request.accelerator, request.size)
    manifest = Manifest(files, request, program)
    maps = write_numbers(request.graph, request.image, manifest)
    write_dram_images(program, maps, manifest)
    write_tiles(program, request.accelerator, request.image, manifest)
    manifest.close()
