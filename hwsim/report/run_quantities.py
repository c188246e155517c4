"""How the figures of runs are written: names, units, digits."""

from collections.abc import Callable
from dataclasses import dataclass

from hwsim.report.result import Layer

Number = int | float
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Shown:
    """How a figure is shown.

    Attributes:
        name: what people call it, with its unit.
        text: the figure in that unit.
    """

    name: str
    text: Callable[[Number], str]


FIGURES: dict[str, Shown] = {
    "energy_uj": Shown("energy [µJ]", lambda value: f"{value:,.1f}"),
    "latency_ms": Shown("latency [ms]", lambda value: f"{value:,.3f}"),
    "cycles": Shown("cycles", lambda value: f"{value:,}"),
    "macs": Shown("MACs", lambda value: f"{value:,}"),
    "mac_utilization": Shown("array utilization", lambda value: f"{value:.1%}"),
    "dram_read_bytes": Shown("DRAM read [MB]", lambda value: f"{value / 1e6:,.2f}"),
    "dram_write_bytes": Shown("DRAM written [MB]", lambda value: f"{value / 1e6:,.2f}"),
    "dram_bytes": Shown("DRAM [KiB]", lambda value: f"{value / 1024:,.0f}"),
    "sram_peak_kib": Shown("peak SRAM [KiB]", lambda value: f"{value:,.1f}"),
    "area_mm2": Shown("area [mm²]", lambda value: f"{value:,.3f}"),
    "gate_equivalents": Shown("gate equivalents", lambda value: f"{value:,.0f}"),
    "weight_average_bits": Shown("weights [mean bits]", lambda value: f"{value:.2f}"),
    "feature_average_bits": Shown("features [mean bits]", lambda value: f"{value:.2f}"),
    "psnr_db": Shown("PSNR [dB]", lambda value: f"{value:.2f}"),
    "ssim": Shown("SSIM", lambda value: f"{value:.4f}"),
}
"""By key of the result, or of its layers."""


def figure_text(key: str, value: Number | None) -> str:
    """A figure without its unit."""
    return NOTHING if value is None else FIGURES[key].text(value)


def ratio_text(ratio: float | None) -> str:
    """How many times the first run's figure it is."""
    return "" if ratio is None else f"×{ratio:,.3f}"


def bits_text(layer: Layer) -> str:
    """Bits of a layer's weights and input activations."""
    weights = NOTHING if layer.weight_bits is None else str(layer.weight_bits)
    return f"{weights}/{layer.activation_bits}"


def setting_text(value: object) -> str:
    """A setting in words."""
    match value:
        case None:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case [int(height), int(width)]:
            return f"{height}×{width}"
        case _:
            return str(value)
