"""A search as a page: its sections, and what they rest on."""

from hwsim.report.page.blocks import Block, Card, Cards, Folded, Text
from hwsim.report.page.page import Page, Section
from hwsim.report.provenance import Provenance, provenance_blocks
from hwsim.report.search import proof
from hwsim.report.search_page.agreement import agreement_cards, agreement_figure
from hwsim.report.search_page.bits import front_bits_figure, policy_choice
from hwsim.report.search_page.front import front_figure, policies_table
from hwsim.report.search_page.points import mean_bits
from hwsim.report.search_page.quantities import COSTS, Quantity, decibels, signed
from hwsim.report.search_page.sensitivity import sensitivity_figure, sensitivity_table
from hwsim.search import Point, SearchResult

FOOTER = (
    "Fidelity is computed exactly on the search pictures; cycles, energy and memory are modelled, "
    "not measured on silicon."
)


def search_page(found: SearchResult, recommended: Point, provenance: Provenance) -> Page:
    """The page of a search.

    Args:
        found: the result.
        recommended: the policy to take, one of its points.
        provenance: what it rests on.
    """
    size, limits = found.request.image_size, found.request.limits
    asked = f"; asked for: {', '.join(limits.words)}" if limits else ""
    return Page(
        f"Bits of {provenance.network} on {found.accelerator}",
        f"Bit policies for one image of {size.height}×{size.width} pixels, priced with energy "
        f"table {found.energy_table}{asked}",
        (
            Section("recommended", "Recommended policy", _recommended(found, recommended)),
            Section(
                "front",
                "Fidelity against cost",
                (front_figure(found, recommended), policies_table(found, recommended)),
            ),
            Section(
                "bits",
                "Bits of each layer",
                (policy_choice(found, recommended), front_bits_figure(found)),
            ),
            Section(
                "agreement",
                "Predicted against simulated",
                (agreement_cards(found), agreement_figure(found)),
            ),
            Section("sensitivity", "Sensitivity", _sensitivity(found)),
            Section("provenance", "Where the figures come from", provenance_blocks(provenance)),
        ),
        FOOTER,
    )


def _recommended(found: SearchResult, recommended: Point) -> tuple[Block, ...]:
    measured, least_db = recommended.measured, found.request.limits.min_psnr_db
    weights, activations = mean_bits(recommended.bits)
    cards = Cards(
        (
            Card(
                "fidelity",
                f"{decibels(measured.psnr_db)} dB",
                "to the float network" if least_db is None else f"at least {least_db:g} dB asked",
            ),
            *(_cost_card(found, recommended, quantity) for quantity in COSTS),
            Card("mean bits", f"{weights:.1f} / {activations:.1f}", "weights / activations"),
        )
    )
    told = f"“{recommended.label}” is the best of {len(found.points)} simulated policies."
    return (
        cards,
        Text(f"{told} {proof(found)}" if found.request.limits else told),
        Folded("The policy as a file for --bits", tuple(recommended.policy.to_yaml().splitlines())),
    )


def _cost_card(found: SearchResult, recommended: Point, quantity: Quantity) -> Card:
    """A cost beside that of the base."""
    base, cost = quantity.amount(found.base), quantity.amount(recommended.measured)
    change = f"{signed(100 * (cost / base - 1), 1)} %" if base else "–"
    return Card(
        quantity.name,
        quantity.words(recommended.measured),
        f"{change} vs {found.request.base}",
    )


def _sensitivity(found: SearchResult) -> tuple[Block, ...]:
    quality = found.model.quality
    words = (
        f"{quality.clipped} choices measured better than {found.request.base} on these pictures; "
        f"they count as no change. In {quality.non_monotone} pairs of a layer's choices the wider "
        "one measured worse."
    )
    return sensitivity_figure(found), Text(words), sensitivity_table(found)
