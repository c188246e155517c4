"""The files of ``--out``."""

from collections.abc import Sequence

from hwsim.cli.output_folder import OutputFolder
from hwsim.cost import ProgramCost
from hwsim.report.charts import write_cost_chart
from hwsim.report.explanation_chart import write_explanation_chart
from hwsim.report.labels import subject_label
from hwsim.report.pictures import Panel, draw_comparison, png_bytes
from hwsim.report.result import Result
from hwsim.report.table import layers_csv
from quant.graph.adaptive_file import AnyGraph, save_any_graph


def write_pictures(folder: OutputFolder, png: bytes, panels: Sequence[Panel]) -> None:
    """``output.png`` and ``comparison.png``.

    Args:
        folder: where to.
        png: the content of ``output.png``.
        panels: what to compare.
    """
    folder.write("output.png", lambda path: path.write_bytes(png))
    comparison = png_bytes(draw_comparison(panels))
    folder.write("comparison.png", lambda path: path.write_bytes(comparison))


def write_cost_files(
    folder: OutputFolder, graph: AnyGraph, cost: ProgramCost, result: Result
) -> None:
    """``layers.csv``, ``cost.png`` and ``graph.hwgraph``."""
    folder.write("layers.csv", lambda path: path.write_text(layers_csv(cost), encoding="utf-8"))
    folder.write("cost.png", lambda path: write_cost_chart(path, result, cost))
    folder.write("graph.hwgraph", lambda path: save_any_graph(graph, path))


def write_explanation(folder: OutputFolder, result: Result) -> None:
    """``explanation.png``, where there is an explanation."""
    explanation = result.explanation
    if explanation is None:
        return
    title = subject_label(result)
    folder.write("explanation.png", lambda path: write_explanation_chart(path, title, explanation))


def write_result(folder: OutputFolder, result: Result) -> None:
    """``result.json``."""
    text = result.to_json() + "\n"
    folder.write("result.json", lambda path: path.write_text(text, encoding="utf-8"))
