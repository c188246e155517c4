"""Colours of components, units and causes, the same in charts and on pages.

After Okabe and Ito, "Color Universal Design", 2008: eight colours that the common kinds of colour
blindness keep apart, and shades of grey for what is lost in the array. Neighbours in a stack also
differ in lightness.
"""

from collections.abc import Iterable

_COMPONENTS = {
    "mac_array": "#0072B2",
    "requantizer": "#56B4E9",
    "vector_unit": "#009E73",
    "sram": "#F0E442",
    "dram": "#D55E00",
}
_OTHER_COMPONENTS = ("#CC79A7", "#E69F00", "#000000")

UNITS = {"mac_array": "#0072B2", "vector_unit": "#009E73", "dma": "#D55E00"}
"""Units of the clock, in the order of reports."""

CAUSES = {
    "compute": "#0072B2",
    "narrow_operands": "#56B4E9",
    "wide_operands": "#003f63",
    "channel_padding": "#bdbdbd",
    "pixel_padding": "#595959",
    "reduction_padding": "#8f8f8f",
    "sram": "#F0E442",
    "channel_scaler": "#8c6d1f",
    "fill_drain": "#e0e0e0",
    "vector_unit": "#009E73",
    "dram": "#D55E00",
    "first_and_last_transfers": "#f2b48a",
    "dependencies": "#CC79A7",
    "dram_latency": "#000000",
    "mode_switch": "#7b3294",
}
"""What a cycle is lost to: `hwsim.cost.explanation.CAUSES`."""


def component_colours(components: Iterable[str]) -> dict[str, str]:
    """Colours of components of the energy account, in the order of a stack."""
    names = set(components)
    known = {name: colour for name, colour in _COMPONENTS.items() if name in names}
    others = sorted(names - known.keys())
    return known | {
        name: _OTHER_COMPONENTS[place % len(_OTHER_COMPONENTS)] for place, name in enumerate(others)
    }
