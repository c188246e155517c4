"""The machine and its prices, as the arguments name them."""

from argparse import Namespace

from accelerators import EnergyModel, load_accelerator, load_energy_table


def load_energy_model(arguments: Namespace) -> EnergyModel:
    """The accelerator of ``--accelerator``, priced with ``--energy-table`` or its own table.

    Raises:
        UserError: no such accelerator or table, a file that breaks its schema, or a table of
            another technology node.
    """
    accelerator = load_accelerator(arguments.accelerator)
    table = load_energy_table(arguments.energy_table or accelerator.energy_table)
    return EnergyModel(accelerator, table)
