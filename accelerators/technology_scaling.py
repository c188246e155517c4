"""Energy tables and areas of one node brought to another, by the scaling of Stillmaker and Baas.

A. Stillmaker and B. Baas, "Scaling equations for the accurate prediction of CMOS device
performance from 180 nm to 7 nm", Integration 58, 2017: the energy of a switching gate is a
polynomial a V^2 + b V + c of the supply voltage at each node, and areas of gates shrink by a factor
from node to node. Only ratios are used, and only for logic; memory devices and interfaces off the
chip do not follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from accelerators.energy_tables import EnergyTable, ScaledEnergyTable, Scaling
from quant.common.errors import UserError

METHOD = "stillmaker_baas"

POLYNOMIALS: dict[int, tuple[float, float, float]] = {
    130: (7.171, -6.709, 2.904),
    90: (4.762, -4.781, 2.092),
    65: (3.755, -4.398, 1.975),
    45: (1.103, -0.362, 0.2767),
    32: (0.9559, -0.7823, 0.471),
    20: (0.373, -0.1582, 0.04104),
    16: (0.2958, -0.1241, 0.03024),
    14: (0.2363, -0.09675, 0.02239),
    10: (0.2068, -0.09311, 0.02375),
    7: (0.1776, -0.09097, 0.02447),
}
"""Coefficients a, b, c by node in nm, in the paper's femtojoules of one gate."""

LOWEST_V, HIGHEST_V = 0.6, 1.1
"""Voltages accepted; this project's choice. Below 0.6 V the polynomial of 65 nm falls with the
voltage (its lowest point is 0.586 V); 1.1 V is the highest at which ratios were checked."""

AREAS: dict[int, float] = {
    180: 19.0,
    130: 6.4,
    90: 2.8,
    65: 1.5,
    45: 1.0,
    32: 0.46,
    20: 0.21,
    16: 0.19,
    14: 0.17,
    10: 0.10,
    7: 0.059,
}
"""Area of a gate by node in nm relative to 45 nm, the paper's factors to two digits."""

LEAST_SQUARE_NM = 22
"""Node below which SRAM shrinks no longer with its square."""

DEFAULT_V = 0.8
"""Where neither table nor machine gives a voltage: that of the published relative figures."""


def switching_energy(node_nm: int, supply_v: float) -> float:
    """Energy of a gate at a node and voltage, in the equations' own unit.

    Between two nodes of the paper it is linear in the node. From 32 to 20 nm it falls by a factor
    of three, because transistors change their form there: nodes between them are rough.

    Raises:
        UserError: the node or the voltage is outside the equations' range.
    """
    below, above, share = _between(node_nm, POLYNOMIALS)
    if not LOWEST_V <= supply_v <= HIGHEST_V:
        raise UserError(
            f"scaling by {METHOD} covers supply voltages of {LOWEST_V} to {HIGHEST_V} V, got "
            f"{supply_v:g} V; change supply_v"
        )
    return (1 - share) * _at(below, supply_v) + share * _at(above, supply_v)


def energy_ratio(from_nm: int, to_nm: int, from_v: float, to_v: float) -> float:
    """What switching energies of logic are multiplied by from one node and voltage to another.

    Raises:
        UserError: a node or a voltage is outside the equations' range.
    """
    return switching_energy(to_nm, to_v) / switching_energy(from_nm, from_v)


def logic_area_ratio(from_nm: int, to_nm: int) -> float:
    """What areas of logic are multiplied by from one node to another; 1 within a node.

    Between two nodes of the paper the area is linear in the node.

    Raises:
        UserError: two different nodes, one of them outside the factors' range.
    """
    if from_nm == to_nm:
        return 1.0
    return _gate_area(to_nm) / _gate_area(from_nm)


def sram_area_ratio(from_nm: int, to_nm: int) -> float:
    """What areas of SRAM macros are multiplied by from one node to another.

    The square of the node, as CACTI's own macros of 90 to 22 nm have it; below 22 nm only in
    proportion to the node, as the SRAM component model of hwcomponents has it, since bit cells
    shrink less than gates there.
    """
    return _sram_area(to_nm) / _sram_area(from_nm)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a table is to be brought.

    Attributes:
        technology_nm: the node.
        supply_v: the voltage; None for the table's own.
        sram_table: the SRAM table that goes with it.
        sram_nm: the node of that table; energies of its accesses are scaled from there.
    """

    technology_nm: int
    supply_v: float | None
    sram_table: str
    sram_nm: int


def scaled_table(table: EnergyTable, target: Target) -> ScaledEnergyTable:
    """A table with its switching energies at another node, under a name that says so.

    Leakage stays what it was: the equations used here are those of switching.

    Raises:
        UserError: a node or a voltage is outside the equations' range.
    """
    from_v = table.supply_v or DEFAULT_V
    to_v = target.supply_v or from_v
    factor = energy_ratio(table.technology_nm, target.technology_nm, from_v, to_v)
    sram_factor = 1.0
    if target.sram_nm != target.technology_nm:
        sram_factor = energy_ratio(target.sram_nm, target.technology_nm, from_v, to_v)
    data = {name: getattr(table, name) for name in EnergyTable.model_fields}
    for name in _CURVES:
        if data[name] is not None:
            data[name] = data[name].scaled(factor)
    if table.mac_anchor is not None:
        energy_pj = table.mac_anchor.energy_pj * factor
        data["mac_anchor"] = table.mac_anchor.model_copy(update={"energy_pj": energy_pj})
    data |= {
        "name": f"{table.name} scaled to {target.technology_nm} nm"
        + ("" if to_v == from_v else f" at {to_v:g} V"),
        "technology_nm": target.technology_nm,
        "supply_v": to_v,
        "sram_table": target.sram_table,
        "not_modelled": (
            *table.not_modelled,
            "leakage at the node scaled to: it is that of the table's own node",
        ),
        "scaling": Scaling(
            method=METHOD,
            from_nm=table.technology_nm,
            to_nm=target.technology_nm,
            from_v=from_v,
            to_v=to_v,
            factor=factor,
            sram_factor=sram_factor,
        ),
    }
    return ScaledEnergyTable.model_validate(data)


_CURVES = (
    "adder_pj_by_bits",
    "multiplier_pj_by_bit_product",
    "mac_pj_by_bit_product",
    "register_pj_by_bits",
)


def _at(node_nm: int, supply_v: float) -> float:
    a, b, c = POLYNOMIALS[node_nm]
    return a * supply_v**2 + b * supply_v + c


def _gate_area(node_nm: int) -> float:
    below, above, share = _between(node_nm, AREAS)
    return (1 - share) * AREAS[below] + share * AREAS[above]


def _sram_area(node_nm: int) -> float:
    return node_nm * max(node_nm, LEAST_SQUARE_NM)


def _between(node_nm: int, known: Mapping[int, object]) -> tuple[int, int, float]:
    """The nodes with figures around one, and how far it is from the lower towards the upper.

    Raises:
        UserError: the node is outside their range.
    """
    nodes = sorted(known)
    if not nodes[0] <= node_nm <= nodes[-1]:
        raise UserError(
            f"scaling by {METHOD} covers {nodes[0]} to {nodes[-1]} nm, got {node_nm} nm; choose "
            "an energy table and a technology_nm in that range"
        )
    below, above = next((a, b) for a, b in pairwise(nodes) if a <= node_nm <= b)
    return below, above, (node_nm - below) / (above - below)
