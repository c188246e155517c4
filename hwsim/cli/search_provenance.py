"""Where the figures of a search come from, in the words of its page."""

import hashlib
from argparse import Namespace
from pathlib import Path

from accelerators import EnergyModel
from hwsim import __version__
from hwsim.cli.options import DEFAULT_METHOD
from hwsim.identity import arrays_identity, machine_identity
from hwsim.report.provenance import Provenance
from hwsim.search import LayerRules, Pictures, SearchRequest
from quant.common.files import read_bytes
from quant.networks.registry import shipped_weights

_SHIPPED = "that come with the program"


def search_provenance(
    arguments: Namespace,
    request: SearchRequest,
    energy: EnergyModel,
    pictures: Pictures,
    base_sha256: str,
) -> Provenance:
    """What a search rests on.

    Args:
        arguments: of ``hwsim search``, with the ``command_line`` they were parsed from.
        request: what was asked.
        energy: the machine and its prices.
        pictures: what fidelity was judged on.
        base_sha256: of the graph of the base policy.

    Raises:
        UserError: the weights file cannot be read any more.
    """
    machine, table, size = energy.accelerator, energy.table, request.image_size
    weights = arguments.weights or shipped_weights(arguments.network)
    facts = {
        "command": arguments.command_line,
        "program": f"hwsim {__version__}",
        "network": f"{arguments.network}, {_weights(arguments)}",
        "method": arguments.method or DEFAULT_METHOD,
        "calibrated on": _folder(arguments.calibration, "reduced photographs"),
        "fidelity judged on": f"{_folder(arguments.pictures, 'parts of photographs')}: "
        f"{_sizes(pictures)}",
        "cost counted for": f"one image of {size.height}×{size.width} pixels",
        "accelerator": f"{machine.name}, {machine.clock_mhz:g} MHz: {machine.description}",
        "energy table": f"{table.name}, version {table.version}: {table.description}",
        **({"prices": "; ".join(energy.notes)} if energy.notes else {}),
        "widths": ", ".join(map(str, request.widths)),
        "minimized": "error" if request.minimize is None else request.minimize.value,
        "limits": ", ".join(request.limits.words) or "none",
        **_rules(request.rules),
    }
    file = {} if arguments.random_weights is not None or weights is None else _file(weights)
    hashes = {
        **file,
        f"graph at {request.base}": base_sha256,
        "pictures": arrays_identity((*pictures.codes, *pictures.references)),
        "machine and prices": machine_identity(machine, energy),
    }
    return Provenance(arguments.network, facts, hashes, energy.not_modelled)


def _weights(arguments: Namespace) -> str:
    if arguments.random_weights is not None:
        return f"random weights of seed {arguments.random_weights}"
    return f"weights {_SHIPPED}" if arguments.weights is None else f"weights {arguments.weights}"


def _file(path: Path) -> dict[str, str]:
    return {"weights file": hashlib.sha256(read_bytes(path, "weights")).hexdigest()}


def _folder(folder: Path | None, shipped: str) -> str:
    return f"{shipped} {_SHIPPED}" if folder is None else str(folder)


def _sizes(pictures: Pictures) -> str:
    return ", ".join(f"{codes.shape[0]}×{codes.shape[1]}" for codes in pictures.codes)


def _rules(rules: LayerRules) -> dict[str, str]:
    """The rules for single layers, those there are."""
    allowed = (f"{entry.pattern}: {', '.join(map(str, entry.choices))}" for entry in rules.allowed)
    written = {
        "allowed": "; ".join(allowed),
        "first and last layer": "" if rules.first_and_last is None else str(rules.first_and_last),
        "alike": ", ".join(rules.tied),
    }
    return {name: words for name, words in written.items() if words}
