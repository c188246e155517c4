"""Where figures come from, as a page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.report.page.blocks import Block, Facts, Folded, Text

IMAGE_PIXELS = "image, its pixels"
"""What the hash of a run's image stands under, by which runs of one image are known."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where figures come from.

    Attributes:
        network: what they are of.
        facts: names and values: command, program, machine, method, pictures and so on.
        hashes: SHA-256 of inputs by what they are.
        not_modelled: what the energy leaves out.
    """

    network: str
    facts: Mapping[str, str]
    hashes: Mapping[str, str]
    not_modelled: tuple[str, ...]


def provenance_blocks(provenance: Provenance) -> tuple[Block, ...]:
    """What figures rest on, as facts and hashes."""
    return (
        Facts(provenance.facts),
        Text("SHA-256 of what the figures depend on:"),
        Facts(provenance.hashes, fixed_width=True),
        Folded(
            f"What the energy leaves out ({len(provenance.not_modelled)})", provenance.not_modelled
        ),
    )
