"""Networks to export, on a small machine."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hwsim.export.formats import FORMATS
from hwsim.export.request import ExportRequest, Settings
from quant.graph import Graph, Size
from tests.machines import machine, prices

SIZE = Size(10, 12)


def request_of(
    graph: Graph, size: Size = SIZE, settings: Settings | None = None, sram_kib: int = 32
) -> ExportRequest:
    """A network on a machine with an array of 8 × 8, with random pixels of a size."""
    shape = size.height, size.width, graph.input.output.channels
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.int32)
    accelerator = machine(sram_kib, 8)
    return ExportRequest(graph, size, prices(accelerator), image, settings or Settings())


@dataclass
class Written:
    """Takes files to a folder at once, as `Files`."""

    folder: Path
    names: list[str] = field(default_factory=list)

    def write(self, name: str, writer: Callable[[Path], object]) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        writer(path)
        self.names.append(name)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def exported(to: str, request: ExportRequest, folder: Path) -> Written:
    """The files of a format; one of a single file is called ``file``."""
    files = Written(folder)
    FORMATS[to].writer().write(request, "file", files)
    return files


def csv_rows(text: str) -> list[list[str]]:
    """Cells of every row but the header, as tools split them: at commas, the last one ends it."""
    lines = io.StringIO(text).read().splitlines()[1:]
    return [[cell.strip() for cell in line.split(",")[:-1]] for line in lines]
