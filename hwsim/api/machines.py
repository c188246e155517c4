"""Machines, their prices, and the names of everything that comes along."""

from pathlib import Path

from accelerators import Accelerator, EnergyModel, EnergyTable, load_accelerator, load_energy_table
from accelerators.variation import Changes
from hwsim.names import NAMES
from quant.common.errors import UserError, suggestion

Machine = str | Path | Accelerator
Table = str | Path | EnergyTable


def accelerator(machine: Machine, changes: Changes | None = None) -> Accelerator:
    """A machine by name or from a YAML file.

    Args:
        machine: a name of ``names("accelerators")`` or the path of a YAML file.
        changes: values that take the place of those in the file, by key: ``{"array.rows": 16}``.

    Raises:
        UserError: there is no such machine, its file breaks the schema, or a change does.
    """
    if isinstance(machine, Accelerator):
        if changes:
            raise UserError(
                f"accelerator '{machine.name}': expected a name or a file to change, given a "
                "machine; give changes when it is loaded"
            )
        return machine
    return load_accelerator(machine, changes)


def energy_model(machine: Machine, energy_table: Table | None = None) -> EnergyModel:
    """A machine, priced with a table or with its own.

    Raises:
        UserError: there is no such machine or table, or the table is for another technology node.
    """
    chosen = accelerator(machine)
    table = energy_table or chosen.energy_table
    return EnergyModel(
        chosen, table if isinstance(table, EnergyTable) else load_energy_table(table)
    )


def names(kind: str) -> tuple[str, ...]:
    """The names of what comes along, as ``hwsim list`` has them.

    Args:
        kind: ``networks``, ``methods``, ``accelerators``, ``energy-tables``, ``dram-tables``,
            ``policies`` or ``roundings``.

    Raises:
        UserError: there is no such kind.
    """
    if kind not in NAMES:
        raise UserError(f"names '{kind}': no such kind; {suggestion(kind, NAMES)}")
    return NAMES[kind]()
