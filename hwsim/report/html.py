"""Results as pieces of HTML, for notebooks."""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from hwsim.report.pictures import png_bytes
from hwsim.report.result import BYTES_PER_KIB, Layer, Result
from hwsim.report.summary import closing_lines, figure_lines, headline

_LAYER_COLUMNS = (
    "layer", "operators", "bits w, a", "million MACs", "cycles", "array", "energy, µJ", "share",
    "DRAM, KiB",
)  # fmt: skip


def result_html(result: Result) -> str:
    """A result: its figures, every layer in a table that opens, and what the figures are."""
    layers = [_layer_row(layer, result.energy_uj) for layer in result.layers]
    return (
        lines_html([headline(result)], strong=True)
        + table_html(("", ""), figure_lines(result), words=2)
        + f"<details><summary>{len(layers)} layers</summary>"
        + table_html(_LAYER_COLUMNS, layers, words=2)
        + "</details>"
        + lines_html(closing_lines(result))
    )


def picture_html(pixels: NDArray[np.uint8], description: str) -> str:
    """A picture, in the text itself.

    Args:
        pixels: uint8 [height, width, 3].
        description: for those who do not see it.
    """
    return png_html(png_bytes(pixels), description)


def png_html(png: bytes, description: str) -> str:
    """The content of a PNG file as a picture in the text itself."""
    content = base64.b64encode(png).decode()
    return (
        f'<img src="data:image/png;base64,{content}" alt="{escape(description)}" '
        'style="max-width: 100%">'
    )


def lines_html(lines: Sequence[str], *, strong: bool = False) -> str:
    """Lines of text, as titles or as small print."""
    tag = "strong" if strong else "small"
    return "".join(f"<p><{tag}>{escape(line)}</{tag}></p>" for line in lines)


def text_html(text: str) -> str:
    """Text with its line breaks, such as a YAML file."""
    return f"<pre>{escape(text)}</pre>"


def table_html(columns: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """A table of texts.

    Args:
        columns: headings; none is shown where all are empty.
        rows: the texts, as many in each as there are columns.
        words: how many columns hold words; those behind them hold numbers, set to the right.
    """
    head = _row("th", columns, words) if any(columns) else ""
    body = "".join(_row("td", row, words) for row in rows)
    return f"<table>{head and f'<thead>{head}</thead>'}<tbody>{body}</tbody></table>"


def _row(tag: str, texts: Sequence[str], words: int) -> str:
    cells = (_cell(tag, text, place >= words) for place, text in enumerate(texts))
    return f"<tr>{''.join(cells)}</tr>"


def _cell(tag: str, text: str, is_number: bool) -> str:
    side = "right" if is_number else "left"
    return f'<{tag} style="text-align: {side}">{escape(text)}</{tag}>'


def _layer_row(layer: Layer, energy_uj: float) -> list[str]:
    weight_bits = "–" if layer.weight_bits is None else str(layer.weight_bits)
    return [
        layer.name,
        layer.operator,
        f"{weight_bits}, {layer.activation_bits}",
        f"{layer.macs / 1e6:,.1f}",
        f"{layer.cycles:,}",
        f"{layer.mac_utilization:.0%}",
        f"{layer.energy_uj:,.1f}",
        f"{layer.energy_uj / energy_uj:.0%}",
        f"{layer.dram_bytes / BYTES_PER_KIB:,.0f}",
    ]
