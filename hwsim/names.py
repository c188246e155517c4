"""The names that commands take, by what they are names of."""

from collections.abc import Callable, Mapping

from accelerators import accelerator_names, energy_table_names
from accelerators.catalog import dram_table_names
from hwsim.export.formats import FORMATS
from quant.common.requantization_modes import MODES
from quant.networks import network_names
from quant.policy import policy_names


def _method_names() -> tuple[str, ...]:
    from quant.methods import method_names

    return method_names()


NAMES: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "networks": network_names,
    "methods": _method_names,
    "accelerators": accelerator_names,
    "energy-tables": energy_table_names,
    "dram-tables": dram_table_names,
    "policies": policy_names,
    "roundings": lambda: tuple(MODES),
    "formats": lambda: tuple(FORMATS),
}
