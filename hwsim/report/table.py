"""The per-layer table as CSV, every column with its unit."""

import csv
import io
from collections.abc import Callable

from hwsim.cost import GroupCost, ProgramCost

_COLUMNS: dict[str, Callable[[GroupCost], object]] = {
    "layer": lambda cost: cost.group.name,
    "cascade": lambda cost: cost.group.cascade,
    "operator": lambda cost: "+".join(cost.group.kinds),
    "weight_bits": lambda cost: cost.group.weight_bits,
    "activation_bits": lambda cost: cost.group.activation_bits,
    "macs": lambda cost: cost.group.macs,
    "cycles": lambda cost: cost.cycles,
    "energy_uj": lambda cost: cost.energy_uj,
    "dram_read_bytes": lambda cost: cost.dram_read_bytes,
    "dram_write_bytes": lambda cost: cost.dram_write_bytes,
    "sram_bytes": lambda cost: cost.group.sram_bytes,
    "tile_columns": lambda cost: cost.group.tiling.columns,
    "tile_rows": lambda cost: cost.group.tiling.rows,
    "tile_channels": lambda cost: cost.group.tiling.channels,
}


def layers_csv(cost: ProgramCost) -> str:
    """One line per group of operators, in order of execution, under a line of column names.

    Behind the fixed columns come the cycles each unit was busy and the energy of each component.
    """
    units = list(dict.fromkeys(unit for group in cost.groups for unit in group.busy_cycles))
    components = sorted(cost.energy_by_component_uj)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            *_COLUMNS,
            *(f"{unit}_busy_cycles" for unit in units),
            *(f"{component}_energy_uj" for component in components),
        ]
    )
    for group in cost.groups:
        writer.writerow(
            [
                *(value(group) for value in _COLUMNS.values()),
                *(group.busy_cycles.get(unit, 0) for unit in units),
                *(group.energy_by_component_uj.get(component, 0.0) for component in components),
            ]
        )
    return text.getvalue()
