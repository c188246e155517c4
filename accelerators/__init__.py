"""Accelerators as data: their schema, energy tables, and the formulas of their datapaths.

Names are loaded when first used, so that importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accelerators.actions import ACTION_UNITS as ACTION_UNITS
    from accelerators.actions import Action as Action
    from accelerators.area import Area as Area
    from accelerators.area import area_of as area_of
    from accelerators.catalog import accelerator_names as accelerator_names
    from accelerators.catalog import energy_table_names as energy_table_names
    from accelerators.catalog import energy_tables_for as energy_tables_for
    from accelerators.catalog import load_accelerator as load_accelerator
    from accelerators.catalog import load_energy_table as load_energy_table
    from accelerators.energy import EnergyModel as EnergyModel
    from accelerators.energy_tables import EnergyTable as EnergyTable
    from accelerators.machine_size import MachineSize as MachineSize
    from accelerators.schema import Accelerator as Accelerator
    from accelerators.schema import resized as resized

_HOME = {
    "ACTION_UNITS": "accelerators.actions",
    "Accelerator": "accelerators.schema",
    "Action": "accelerators.actions",
    "Area": "accelerators.area",
    "EnergyModel": "accelerators.energy",
    "EnergyTable": "accelerators.energy_tables",
    "MachineSize": "accelerators.machine_size",
    "accelerator_names": "accelerators.catalog",
    "area_of": "accelerators.area",
    "energy_table_names": "accelerators.catalog",
    "energy_tables_for": "accelerators.catalog",
    "load_accelerator": "accelerators.catalog",
    "load_energy_table": "accelerators.catalog",
    "resized": "accelerators.schema",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'accelerators' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
