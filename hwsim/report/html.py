"""Results as pieces of HTML, for notebooks."""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from hwsim.report.pictures import png_bytes
from hwsim.report.result import BYTES_PER_KIB, Layer, Result
from hwsim.report.summary import closing_lines, figures, headline

_LAYER_COLUMNS = (
    "layer", "operators", "bits w, a", "million MACs", "cycles", "array", "energy, µJ", "share",
    "DRAM, KiB",
)  # fmt: skip


def result_html(result: Result) -> str:
    """A result: its figures, every layer in a table that opens, and what the figures are."""
    layers = [_layer_row(layer, result.energy_uj) for layer in result.layers]
    return (
        lines_html([headline(result)], strong=True)
        + table_html(("", ""), figures(result), numbers=False)
        + f"<details><summary>{len(layers)} layers</summary>"
        + table_html(_LAYER_COLUMNS, layers)
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


def table_html(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True
) -> str:
    """A table of texts.

    Args:
        columns: headings; none is shown where all are empty.
        rows: the texts, as many in each as there are columns.
        numbers: whether what stands behind the first column is set to the right, as numbers are.
    """
    head = "".join(_cell("th", text, numbers and place > 0) for place, text in enumerate(columns))
    body = "".join(
        f"<tr>{''.join(_cell('td', text, numbers and at > 0) for at, text in enumerate(row))}</tr>"
        for row in rows
    )
    shown = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    return f"<table>{shown}<tbody>{body}</tbody></table>"


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
