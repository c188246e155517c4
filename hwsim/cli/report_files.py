"""The files of ``--out``."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.output_folder import OutputFolder
from hwsim.cli.search_files import write_text
from hwsim.cost import ProgramCost
from hwsim.report.charts import write_cost_chart
from hwsim.report.explanation_chart import write_explanation_chart
from hwsim.report.judgement import Judgement
from hwsim.report.labels import subject_label
from hwsim.report.page.page import write_page
from hwsim.report.pictures import Panel, draw_comparison, png_bytes
from hwsim.report.recorded_run import RecordedRun
from hwsim.report.result import Result
from hwsim.report.run_page import run_page
from hwsim.report.table import layers_csv
from quant.graph.adaptive_file import AnyGraph, save_any_graph
from quant.imaging import write_png

Pixels = NDArray[np.uint8]

RESULT, RECORD, PAGE, OUTPUT = "result.json", "report.json", "report.html", "output.png"
INPUT, FLOAT, ORIGINAL = "pictures/input.png", "pictures/float.png", "pictures/original.png"
"""What a report is made of, and made again of."""


def write_pictures(
    folder: OutputFolder,
    png: bytes,
    image: Pixels,
    judgement: Judgement,
    panels: Sequence[Panel],
) -> None:
    """``output.png``, ``comparison.png``, and the other pictures as they are in ``pictures``.

    Bicubic enlargement is not among them: it follows from the image.

    Args:
        folder: where to.
        png: the content of ``output.png``.
        image: uint8 [height, width, 3], what was enlarged.
        judgement: what became of it.
        panels: what to compare.
    """
    folder.write(OUTPUT, lambda path: path.write_bytes(png))
    comparison = png_bytes(draw_comparison(panels))
    folder.write("comparison.png", lambda path: path.write_bytes(comparison))
    others = {INPUT: image, FLOAT: judgement.floating, ORIGINAL: judgement.original}
    for name, pixels in others.items():
        if pixels is not None:
            folder.write(name, partial(write_png, image=pixels))


def write_cost_files(
    folder: OutputFolder, graph: AnyGraph, cost: ProgramCost, result: Result
) -> None:
    """``layers.csv``, ``cost.png`` and ``graph.hwgraph``."""
    folder.write("layers.csv", partial(write_text, layers_csv(cost)))
    folder.write("cost.png", lambda path: write_cost_chart(path, result, cost))
    folder.write("graph.hwgraph", lambda path: save_any_graph(graph, path))


def write_explanation(folder: OutputFolder, result: Result) -> None:
    """``explanation.png``, where there is an explanation."""
    explanation = result.explanation
    if explanation is None:
        return
    title = subject_label(result)
    folder.write("explanation.png", lambda path: write_explanation_chart(path, title, explanation))


def write_report(folder: OutputFolder, run: RecordedRun) -> None:
    """``report.html``, ``report.json`` and ``result.json``."""
    assert run.record is not None
    folder.write(PAGE, partial(write_page, run_page(run)))
    folder.write(RECORD, partial(write_text, run.record.to_json() + "\n"))
    folder.write(RESULT, partial(write_text, run.result.to_json() + "\n"))
