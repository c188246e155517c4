"""``hwsim list``: the names other commands take."""

import json
from argparse import Namespace
from collections.abc import Callable

from accelerators import accelerator_names, energy_table_names
from accelerators.catalog import dram_table_names
from hwsim.cli.options import LISTS
from hwsim.export.formats import FORMATS
from quant.common.errors import UserError, suggestion
from quant.common.requantization_modes import MODES
from quant.networks import network_names
from quant.policy import policy_names


def _method_names() -> tuple[str, ...]:
    from quant.methods import method_names

    return method_names()


_NAMES: dict[str, Callable[[], tuple[str, ...]]] = {
    "networks": network_names,
    "methods": _method_names,
    "accelerators": accelerator_names,
    "energy-tables": energy_table_names,
    "dram-tables": dram_table_names,
    "policies": policy_names,
    "roundings": lambda: tuple(MODES),
    "formats": lambda: tuple(FORMATS),
}

_SUMMARIES: dict[str, Callable[[str], str]] = {
    "roundings": lambda name: MODES[name].summary,
    "formats": lambda name: FORMATS[name].summary,
}


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    if arguments.kind not in (None, *LISTS):
        raise UserError(
            f"nothing is listed under '{arguments.kind}'; " + suggestion(arguments.kind, LISTS)
        )
    kinds = [arguments.kind] if arguments.kind else LISTS
    names = {kind: list(_NAMES[kind]()) for kind in kinds}
    if arguments.json:
        print(
            json.dumps({kind.replace("-", "_"): known for kind, known in names.items()}, indent=2)
        )
    elif arguments.kind:
        print("\n".join(_lines(arguments.kind, names[arguments.kind])))
    else:
        for kind, known in names.items():
            lines = _lines(kind, known)
            print(
                f"{kind}: {', '.join(known)}"
                if lines == known
                else "\n  ".join([f"{kind}:", *lines])
            )
    return 0


def _lines(kind: str, names: list[str]) -> list[str]:
    """A line for each name, with what is to say of it."""
    if kind not in _SUMMARIES:
        return names
    width, summary = max(map(len, names)), _SUMMARIES[kind]
    return [f"{name:{width}}  {summary(name)}" for name in names]
