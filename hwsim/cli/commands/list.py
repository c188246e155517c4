"""``hwsim list``: the names other commands take."""

import json
from argparse import Namespace
from collections.abc import Callable

from accelerators import (
    accelerator_names,
    area_of,
    energy_table_names,
    load_accelerator,
    load_energy_table,
)
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
        known = names[arguments.kind]
        in_detail = arguments.kind == "accelerators"
        lines = _columns(known, [*map(_machine, known)]) if in_detail else None
        print("\n".join(lines or _lines(arguments.kind, known)))
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
    summary = _SUMMARIES[kind]
    return _columns(names, [summary(name) for name in names])


def _columns(names: list[str], words: list[str]) -> list[str]:
    width = max(map(len, names))
    return [f"{name:{width}}  {text}" for name, text in zip(names, words, strict=True)]


def _machine(name: str) -> str:
    """A machine's modelled area and what it is."""
    machine = load_accelerator(name)
    area_mm2 = area_of(machine, load_energy_table(machine.energy_table)).area_mm2
    size = "area unknown" if area_mm2 is None else f"{area_mm2:7.2f} mm²"
    return f"{size} at {machine.technology_nm} nm  {machine.description}"
