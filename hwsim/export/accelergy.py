"""Accelergy's inputs: how often every component did what, and the energy of each.

Two files of one image: action counts, and the energy reference table of exactly these actions, so
that ``accelergy ERT.yaml action_counts.yaml`` adds up the energy that ``hwsim estimate`` gives.
"""

from collections import Counter
from typing import Any

from accelerators import Action
from hwsim.cost.account import program_cost
from hwsim.export.request import ExportRequest, Files, write_yaml
from hwsim.schedule import schedule

COUNTS, TABLE = "action_counts.yaml", "ERT.yaml"
VERSION = 0.3
"""Of both files: the first with tables of such lists, which newer ones read as well."""


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write the action counts of one image and their energies in picojoules."""
    program = schedule(request.graph, request.accelerator, request.size)
    cost = program_cost(program, request.accelerator, request.energy)
    charges: Counter[Action] = Counter()
    for group in cost.groups:
        charges.update(group.charges)
    components: dict[str, list[Action]] = {}
    for action, count in charges.items():
        if count:
            components.setdefault(action.component, []).append(action)
    about = f"{request.graph.name} on {request.accelerator.name}, image of {request.size}"
    write_yaml(files, COUNTS, _counts(request, components, charges), about)
    table = request.energy.table.name
    write_yaml(files, TABLE, _table(request, components), f"pJ of energy table {table}")


def _counts(
    request: ExportRequest, components: dict[str, list[Action]], charges: Counter[Action]
) -> dict[str, Any]:
    local = [
        {
            "name": _full_name(request, component),
            "action_counts": [
                {"name": action.name, **_arguments(action), "counts": charges[action]}
                for action in actions
            ],
        }
        for component, actions in components.items()
    ]
    return {"action_counts": {"version": VERSION, "local": local}}


def _table(request: ExportRequest, components: dict[str, list[Action]]) -> dict[str, Any]:
    tables = [
        {
            "name": _full_name(request, component),
            "actions": [
                {
                    "name": action.name,
                    "arguments": None,
                    **_arguments(action),
                    "energy": request.energy.energy_pj(action),
                }
                for action in actions
            ],
        }
        for component, actions in components.items()
    ]
    return {"ERT": {"version": VERSION, "tables": tables}}


def _full_name(request: ExportRequest, component: str) -> str:
    return f"{request.machine_name}.{component}"


def _arguments(action: Action) -> dict[str, Any]:
    """Operand widths of a multiply-accumulate; other actions have none."""
    if not action.weight_bits:
        return {}
    widths = {"weight_bits": action.weight_bits, "activation_bits": action.activation_bits}
    return {"arguments": widths}
