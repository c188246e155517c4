"""The bits of each layer: of every simulated policy as strips, along the front as a heat map."""

from collections.abc import Mapping

from hwsim.report.page.blocks import Alternative, Choice, Figure, Item, Json, plot_text
from hwsim.report.page.palette import stepped_scale
from hwsim.report.page.rows import rows_height_px
from hwsim.report.page.strips import OPERANDS, Widths, bit_strips, bit_swatches
from hwsim.report.search_page.points import item_names
from hwsim.report.search_page.predicted_front import drawn_front
from hwsim.report.search_page.quantities import COSTS, decibels
from hwsim.search import Point, SearchResult
from quant.policy import LayerBits

_LIMIT_COLOUR = "#D55E00"
"""Vermilion of Okabe and Ito: none of the colours of bits is near it."""


def policy_choice(found: SearchResult, recommended: Point) -> Choice:
    """Strips for every simulated policy, the recommended one first, then by cost."""
    names, resource = item_names(found), found.request.resource
    rest = [point for point in found.points if point is not recommended]
    ordered = (recommended, *sorted(rest, key=lambda point: point.measured.cost(resource)))
    swatches = bit_swatches(_widths(found))
    return Choice(
        "policies",
        "Policy",
        tuple(
            Item(
                names[id(point)],
                f"recommended: {point.label}" if point is recommended else point.label,
                f"{decibels(point.measured.psnr_db)} dB, "
                + ", ".join(f"{cost.name} {cost.words(point.measured)}" for cost in COSTS),
                bit_strips(widths_by_layer(point.bits), swatches),
            )
            for point in ordered
        ),
    )


def front_bits_figure(found: SearchResult) -> Figure:
    """The bits of every layer along the predicted front."""
    front = drawn_front(found)
    layers, widths = found.model.layers, _widths(found)
    scale, least, largest = stepped_scale(widths)
    common: Json = {
        "type": "heatmap",
        "x": [policy.figures.psnr_db for policy in front],
        "y": [plot_text(layer) for layer in layers],
        "colorscale": scale,
        "zmin": least,
        "zmax": largest,
        "colorbar": {"title": {"text": "bits"}, "tickvals": widths, "thickness": 14},
        "hovertemplate": "%{y}: %{z} bits at %{x:.2f} dB<extra></extra>",
    }
    data = tuple(
        {
            **common,
            "name": operand,
            "xaxis": ("x", "x2")[side],
            "showscale": side == 0,
            "z": [[_pair(policy.bits[layer])[side] for policy in front] for layer in layers],
        }
        for side, operand in enumerate(OPERANDS)
    )
    least_db = found.request.limits.min_psnr_db
    words = (
        "Bits of each layer along the predicted front, from cheap and coarse on the left to dear "
        "and faithful on the right"
    )
    line = "" if least_db is None else "; dashed: the least fidelity asked for"
    return Figure(
        "front-bits-chart",
        f"{words}{line}.",
        rows_height_px(len(layers)),
        (Alternative("bits", data, _front_layout(least_db)),),
    )


def _front_layout(least_db: float | None) -> Json:
    axis = {"title": {"text": "predicted fidelity [dB]"}, "showgrid": False}
    lines = [] if least_db is None else [least_db]
    return {
        "xaxis": {"domain": [0, 0.485], **axis},
        "xaxis2": {"domain": [0.515, 1], **axis},
        "yaxis": {"autorange": "reversed", "dtick": 1, "ticks": "", "showgrid": False},
        "margin": {"t": 40, "r": 20, "b": 40, "l": 40},
        "annotations": [
            {"text": operand, "xref": "paper", "x": 0.2425 + 0.515 * side, "yref": "paper",
             "y": 1, "yanchor": "bottom", "showarrow": False}
            for side, operand in enumerate(OPERANDS)
        ],
        "shapes": [
            {"type": "line", "xref": axis, "x0": level, "x1": level, "yref": "paper", "y0": 0,
             "y1": 1, "line": {"color": _LIMIT_COLOUR, "width": 2}}
            for axis in ("x", "x2") for level in lines
        ],
    }  # fmt: skip


def _widths(found: SearchResult) -> list[int]:
    """Every width that may occur, rising: the same colours in every drawing."""
    used = (bits for point in found.points for bits in point.bits.values())
    return sorted({width for bits in (*found.model.choices, *used) for width in _pair(bits)})


def widths_by_layer(bits: Mapping[str, LayerBits]) -> dict[str, Widths]:
    """The bits of a policy as strips take them."""
    return {layer: _pair(chosen) for layer, chosen in bits.items()}


def _pair(bits: LayerBits) -> tuple[int, int]:
    return bits.weight_bits, bits.activation_bits
