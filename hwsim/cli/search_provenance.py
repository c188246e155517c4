"""Where the figures of a search come from, in the words of its page."""

from argparse import Namespace

from accelerators import EnergyModel
from hwsim.cli.options import DEFAULT_METHOD
from hwsim.cli.sources import (
    folder_words,
    machine_facts,
    program_words,
    weights_hashes,
    weights_words,
)
from hwsim.identity import arrays_identity, machine_identity
from hwsim.report.provenance import Provenance
from hwsim.search import LayerRules, Pictures, SearchRequest


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
    size = request.image_size
    facts = {
        "command": arguments.command_line,
        "program": program_words(),
        "network": f"{arguments.network}, {weights_words(arguments)}",
        "method": arguments.method or DEFAULT_METHOD,
        "calibrated on": folder_words(arguments.calibration, "reduced photographs"),
        "fidelity judged on": f"{folder_words(arguments.pictures, 'parts of photographs')}: "
        f"{_sizes(pictures)}",
        "cost counted for": f"one image of {size.height}×{size.width} pixels",
        **machine_facts(energy),
        "widths": ", ".join(map(str, request.widths)),
        "minimized": "error" if request.minimize is None else request.minimize.value,
        "limits": ", ".join(request.limits.words) or "none",
        **_rules(request.rules),
    }
    hashes = {
        **weights_hashes(arguments),
        f"graph at {request.base}": base_sha256,
        "pictures": arrays_identity((*pictures.codes, *pictures.references)),
        "machine and prices": machine_identity(energy.accelerator, energy),
    }
    return Provenance(arguments.network, facts, hashes, energy.not_modelled)


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
