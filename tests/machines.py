"""Accelerators for tests: the named ones, resized."""

from accelerators import Accelerator, EnergyModel, load_accelerator, load_energy_table, resized


def machine(
    sram_kib: int | None = None,
    array: int | None = None,
    *,
    objective: str | None = None,
    fusion: bool | None = None,
) -> Accelerator:
    """The edge NPU with another SRAM size, a smaller square array or another schedule."""
    return resized(
        load_accelerator("edge_npu"),
        rows=array,
        columns=array,
        sram_kib=sram_kib,
        objective=objective,
        fusion=fusion,
    )


def prices(accelerator: Accelerator) -> EnergyModel:
    """The accelerator's actions under its own energy table."""
    return EnergyModel(accelerator, load_energy_table(accelerator.energy_table))
