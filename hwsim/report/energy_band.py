"""The energy of an image under several tables: a band instead of a point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accelerators import EnergyModel
from hwsim.cost import ProgramCost
from hwsim.cost.repricing import costs_under


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEnergy:
    """What an image costs under one table."""

    energy_table: str
    energy_uj: float
    energy_by_component_uj: Mapping[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyBand:
    """The least and the most of several tables, and all of them."""

    lowest_uj: float
    lowest_table: str
    highest_uj: float
    highest_table: str
    tables: tuple[TableEnergy, ...]


def energy_band(cost: ProgramCost, models: Sequence[EnergyModel]) -> EnergyBand | None:
    """The band of a cost; None without tables.

    Args:
        cost: of a program.
        models: prices of the machine it is for, one for each table.
    """
    if not models:
        return None
    tables = tuple(
        TableEnergy(
            energy_table=energy.table.name,
            energy_uj=repriced.energy_uj,
            energy_by_component_uj=repriced.energy_by_component_uj,
            notes=energy.notes,
        )
        for energy, repriced in costs_under(cost, models)
    )
    lowest = min(tables, key=lambda table: table.energy_uj)
    highest = max(tables, key=lambda table: table.energy_uj)
    return EnergyBand(
        lowest_uj=lowest.energy_uj,
        lowest_table=lowest.energy_table,
        highest_uj=highest.energy_uj,
        highest_table=highest.energy_table,
        tables=tables,
    )


def band_sentence(band: EnergyBand) -> str:
    """The band in words."""
    each = ", ".join(f"{table.energy_table} {table.energy_uj:,.1f}" for table in band.tables)
    return f"{band.lowest_uj:,.1f} to {band.highest_uj:,.1f} µJ  ({each})"
