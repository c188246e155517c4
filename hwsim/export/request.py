"""What is exported, and how the files of a format are handed over."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import yaml
from numpy.typing import NDArray

from accelerators import Accelerator, EnergyModel
from quant.graph import Graph, Size

Codes = NDArray[np.int32]

DEFAULT_WIDTHS = (2, 3, 4, 5, 6, 7, 8)
SCALES = ("unit", "real")


class Files(Protocol):
    """Takes the files of an export; they appear together."""

    def write(self, name: str, writer: Callable[[Path], object]) -> None:
        """Let ``writer`` write one file at the path it is called with.

        Args:
            name: of the file, with the folders it lies in.
            writer: writes it.
        """


@dataclass(frozen=True, slots=True)
class Settings:
    """What some formats let people choose.

    Attributes:
        scales: a name in `SCALES`: of ONNX models with quantizers.
        widths: that tables of costs have.
        word_bits: width of a word of a memory image, a multiple of 8.
        channel_blocks: blocks of output channels, each as many as an array's columns, whose scales
            a machine in Verilog has room for.
    """

    scales: str = SCALES[0]
    widths: tuple[int, ...] = DEFAULT_WIDTHS
    word_bits: int = 8
    channel_blocks: int = 16


def _tell_nobody(done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True, eq=False)
class ExportRequest:
    """One network and what is to be known of it.

    Attributes:
        graph: a verified graph; for some formats as the machine computes it.
        size: of the image that sizes and costs are for.
        energy: the machine and its prices.
        image: int32 [height, width, channels], codes, for formats that need an image.
        settings: what was chosen.
        progress: called with what is done and what there is to do, by formats that take long.
    """

    graph: Graph
    size: Size
    energy: EnergyModel
    image: Codes | None = None
    settings: Settings = Settings()
    progress: Callable[[int, int], None] = _tell_nobody

    @property
    def accelerator(self) -> Accelerator:
        """The machine."""
        return self.energy.accelerator

    @property
    def machine_name(self) -> str:
        """The machine's name without what options changed of it, for tools that want one word."""
        return self.accelerator.name.partition(" ")[0]


def write_text(files: Files, name: str, text: str) -> None:
    """Hand over a file of text."""
    files.write(name, lambda path: path.write_text(text, encoding="utf-8"))


def write_yaml(files: Files, name: str, content: Any, comment: str) -> None:
    """Hand over a YAML file, keys in the order they have, with a line of comment at its head."""
    text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=100)
    write_text(files, name, f"# {comment}\n{text}")
