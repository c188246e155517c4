"""The machine and its prices, as the arguments name them."""

from argparse import Namespace

from accelerators import Accelerator, EnergyModel, load_accelerator, load_energy_table, resized
from hwsim.cost.repricing import energy_models_for

ALL_TABLES = "all"
"""As ``--energy-table``: the machine's own table, and beside it every other that fits."""


def load_energy_model(arguments: Namespace) -> EnergyModel:
    """The accelerator of ``--accelerator``, priced with ``--energy-table`` or its own table.

    ``--accumulator-bits`` and ``--overflow`` give it other accumulators, ``--schedule`` and
    ``--no-fusion`` another schedule.

    Raises:
        UserError: no such accelerator or table, a file that breaks its schema, accumulators that
            such a machine cannot have, or a table of another technology node.
    """
    return energy_model_of(load_accelerator(arguments.accelerator), arguments)


def energy_model_of(accelerator: Accelerator, arguments: Namespace) -> EnergyModel:
    """An accelerator as the arguments want it; see `load_energy_model`.

    Raises:
        UserError: as `load_energy_model`.
    """
    with_accumulators = resized(
        accelerator,
        accumulator_bits=arguments.accumulator_bits,
        accumulator_overflow=arguments.overflow,
    )
    return scheduled_energy_model(with_accumulators, arguments)


def scheduled_energy_model(accelerator: Accelerator, arguments: Namespace) -> EnergyModel:
    """An accelerator, priced with ``--energy-table``, that schedules as the arguments say.

    ``--schedule`` and ``--no-fusion`` take the place of the accelerator's own `Scheduling`, and its
    name says so.

    Raises:
        UserError: no such table, or one of another technology node.
    """
    accelerator = resized(
        accelerator,
        objective=arguments.schedule,
        fusion=False if arguments.no_fusion else None,
    )
    named = None if _wants_all_tables(arguments) else arguments.energy_table
    table = load_energy_table(named or accelerator.energy_table)
    return EnergyModel(accelerator, table)


def load_other_tables(arguments: Namespace, accelerator: Accelerator) -> tuple[EnergyModel, ...]:
    """With ``--energy-table all``, the machine under every shipped table; else nothing.

    Raises:
        UserError: the machine's SRAM or node is outside what the tables cover.
    """
    return energy_models_for(accelerator) if _wants_all_tables(arguments) else ()


def _wants_all_tables(arguments: Namespace) -> bool:
    """Whether every table is asked for, of a command that can answer under several."""
    return bool(arguments.with_all_tables and arguments.energy_table == ALL_TABLES)
