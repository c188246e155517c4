"""The error that each choice of each layer adds, from the quality table."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.report.page.blocks import Alternative, Cell, Figure, Json, Row, Table, plot_text
from hwsim.report.page.rows import rows_height_px
from hwsim.report.search_page.quantities import decibels
from hwsim.search import SearchResult
from hwsim.search.export import widths_of
from hwsim.search.measurement import Figures
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from quant.policy import LayerBits


def sensitivity_figure(found: SearchResult) -> Figure:
    """The quality table as a heat map: all of it, and where only one operand is narrowed."""
    base, every = found.request.base, found.model.choices
    views = {
        "weights and activations": every,
        "weights alone": [bits for bits in every if bits.activation_bits == base.activation_bits],
        "activations alone": [bits for bits in every if bits.weight_bits == base.weight_bits],
    }
    return Figure(
        "sensitivity-chart",
        f"Error that is added when one layer alone gets these bits and all others keep {base}, in "
        "squared 8-bit pixel codes. Blank: not allowed, or no room.",
        rows_height_px(len(found.model.layers)),
        tuple(_view(found, label, choices) for label, choices in views.items() if choices),
        "Narrowed:",
    )


def sensitivity_table(found: SearchResult) -> Table:
    """The same figures: a row for each layer and width of its weights."""
    model = found.model
    weight_bits, activation_bits = widths_of(model)
    column = {bits: place for place, bits in enumerate(model.choices)}
    increase = _increase(found)

    def cell(layer: int, weights: int, activations: int) -> Cell:
        place = column.get(LayerBits(weights, activations))
        if place is None or not model.cost.available[layer, place]:
            return Cell("–")
        added = float(increase[layer, place])
        return Cell(f"{added:.4g}", added)

    rows = tuple(
        Row((Cell(name), Cell(str(weights)), *(cell(layer, weights, a) for a in activation_bits)))
        for layer, name in enumerate(model.layers)
        for weights in weight_bits
    )
    columns = ("layer", "weight bits", *(f"{bits}-bit activations" for bits in activation_bits))
    return Table("Added error in squared 8-bit pixel codes", columns, rows, folded=True)


def _increase(found: SearchResult) -> NDArray[np.float64]:
    """What each choice adds, as measured: also less than nothing. [layers, choices]."""
    return found.model.quality.measured / UNITS_PER_SQUARED_CODE


def _view(found: SearchResult, label: str, choices: Sequence[LayerBits]) -> Alternative:
    model = found.model
    columns = [model.choices.index(bits) for bits in choices]
    increase, available = _increase(found)[:, columns], model.cost.available[:, columns]
    exponents, least, most = _exponents(increase, available)
    powers = range(math.ceil(least), math.floor(most) + 1)
    trace: Json = {
        "type": "heatmap",
        "x": [
            [f"w{bits.weight_bits}" for bits in choices],
            [f"a{bits.activation_bits}" for bits in choices],
        ],
        "y": [plot_text(layer) for layer in model.layers],
        "z": exponents,
        "zmin": least,
        "zmax": most,
        "colorscale": "YlOrRd",
        "reversescale": True,
        "colorbar": {
            "title": {"text": "squared<br>codes"},
            "thickness": 14,
            "tickvals": list(powers),
            "ticktext": [f"{10.0**power:g}" for power in powers],
        },
        "text": [
            [
                _hover(found, layer, bits, float(added))
                for bits, added in zip(choices, row, strict=True)
            ]
            for layer, row in zip(model.layers, increase, strict=True)
        ],
        "hoverinfo": "text",
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
    }
    layout: Json = {
        "xaxis": {"type": "multicategory", "ticks": "", "showgrid": False},
        "yaxis": {"autorange": "reversed", "dtick": 1, "ticks": "", "showgrid": False},
        "margin": {"t": 20, "r": 20, "b": 60, "l": 40},
    }
    return Alternative(label, (trace,), layout)


def _exponents(
    increase: NDArray[np.float64], available: NDArray[np.bool_]
) -> tuple[list[list[float | None]], float, float]:
    """Powers of ten, their least and their largest; what adds nothing counts as the least."""
    positive = increase[available & (increase > 0)]
    least = float(positive.min()) if positive.size else 1.0
    most = float(positive.max(initial=least))
    exponents = np.log10(np.maximum(increase, least))
    shown = [
        [float(value) if there else None for value, there in zip(*row, strict=True)]
        for row in zip(exponents, available, strict=True)
    ]
    return shown, math.log10(least), max(math.log10(most), math.log10(least) + 1)


def _hover(found: SearchResult, layer: str, bits: LayerBits, added: float) -> str:
    alone = Figures(max(found.base.mse + added, 0.0), 0, 0, 0, 0)
    return (
        f"<b>{plot_text(layer)}</b> at {bits}: {added:+.4g} squared codes"
        f"<br>{decibels(alone.psnr_db)} dB with all others at {found.request.base}"
    )
