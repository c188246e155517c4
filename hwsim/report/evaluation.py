"""What an evaluation found: a table for people, an object for programs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hwsim.report.console import stdout_console
from quant.imaging.evaluation import DataSetQuality, Quality


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was evaluated, and how well it did.

    Attributes:
        network: name of the network or graph.
        scale: what it enlarges by.
        patch: side of the patches in input pixels; None for whole pictures.
        method: quantization method; None when only the float network was evaluated, or a graph.
        policy: bits, as they were asked for; None likewise.
        means: what enlarged, in order: ``bicubic``, ``float``, ``quantized`` as far as asked for.
        data_sets: what became of them.
    """

    network: str
    scale: int
    patch: int | None
    method: str | None
    policy: str | None
    means: tuple[str, ...]
    data_sets: tuple[DataSetQuality, ...]

    def to_json(self) -> dict[str, object]:
        """The object `docs/command-line.md` describes; an infinite PSNR is null."""
        return {
            "network": self.network,
            "scale": self.scale,
            "patch": self.patch,
            "method": self.method,
            "policy": self.policy,
            "data_sets": [
                {
                    "name": data_set.name,
                    **_figures({means: data_set.mean(means) for means in self.means}),
                    "pictures": [
                        {
                            "name": picture.name,
                            "size": [picture.height, picture.width],
                            **_figures(picture.by_means),
                        }
                        for picture in data_set.pictures
                    ],
                }
                for data_set in self.data_sets
            ],
        }


def print_evaluation(evaluation: Evaluation, files: Sequence[Path]) -> None:
    """Print one line per data set and means.

    Args:
        evaluation: what was found.
        files: what was written.
    """
    console = stdout_console()
    whole = "whole pictures" if evaluation.patch is None else f"patches of {evaluation.patch}"
    console.print(Text(f"{evaluation.network} ×{evaluation.scale}, {whole}, luma", "bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("data set")
    table.add_column("pictures", justify="right")
    table.add_column("")
    table.add_column("PSNR, dB", justify="right")
    table.add_column("SSIM", justify="right")
    for data_set in evaluation.data_sets:
        for means in evaluation.means:
            first = means == evaluation.means[0]
            quality = data_set.mean(means)
            table.add_row(
                data_set.name if first else "",
                str(len(data_set.pictures)) if first else "",
                means,
                f"{quality.psnr_db:.2f}",
                f"{quality.ssim:.4f}",
            )
    console.print(table)
    if files:
        names = ", ".join(file.name for file in files)
        console.print(Text(f"written to {files[0].parent}: {names}"))


def _figures(by_means: Mapping[str, Quality]) -> dict[str, object]:
    psnr_db = {
        means: quality.psnr_db if math.isfinite(quality.psnr_db) else None
        for means, quality in by_means.items()
    }
    return {
        "psnr_db": psnr_db,
        "ssim": {means: quality.ssim for means, quality in by_means.items()},
    }
