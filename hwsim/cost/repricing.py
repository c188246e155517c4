"""The same charges under other energy tables: what a conclusion owes to its prices.

Nothing is scheduled again. A schedule is chosen by traffic and cycles or, for the objective
``energy``, at the prices of the table that the machine itself names (`hwsim.schedule.objective`);
never by the table that prices its charges. So they are the same under any table.
"""

from collections.abc import Iterable
from dataclasses import replace

from accelerators import Accelerator, EnergyModel
from accelerators.catalog import energy_tables_for
from hwsim.cost.account import ProgramCost, priced


def repriced(cost: ProgramCost, energy: EnergyModel) -> ProgramCost:
    """A cost with every charge at the prices of another table.

    Args:
        cost: of a program.
        energy: prices of the same machine.
    """
    groups = tuple(
        priced(part.group, part.cycles, part.busy_cycles, part.charges, energy)
        for part in cost.groups
    )
    return replace(cost, groups=groups)


def energy_models_for(accelerator: Accelerator) -> tuple[EnergyModel, ...]:
    """The machine under every shipped table for its node, scaled where none of a family is.

    Raises:
        UserError: the machine's SRAM is outside the tables, or its node outside the scaling.
    """
    return tuple(EnergyModel(accelerator, table) for table in energy_tables_for(accelerator))


def costs_under(
    cost: ProgramCost, models: Iterable[EnergyModel]
) -> tuple[tuple[EnergyModel, ProgramCost], ...]:
    """One cost under several tables, each with its prices.

    Args:
        cost: of a program.
        models: prices of the machine it is for.
    """
    return tuple((energy, repriced(cost, energy)) for energy in models)
