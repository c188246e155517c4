"""``hwsim list``: the names other commands take."""

import json
from argparse import Namespace
from collections.abc import Callable

from accelerators import area_of, load_accelerator, load_energy_table
from hwsim.cli.options import LISTS
from hwsim.export.formats import FORMATS
from hwsim.names import NAMES
from quant.common.errors import UserError, suggestion
from quant.common.requantization_modes import MODES

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
    names = {kind: list(NAMES[kind]()) for kind in kinds}
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
