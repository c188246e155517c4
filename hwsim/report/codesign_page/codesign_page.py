"""A co-search as a page: its sections, and what they rest on."""

from collections.abc import Mapping

from hwsim.report.codesign import evidence, tables_note
from hwsim.report.codesign_page.fronts import fronts_figure
from hwsim.report.codesign_page.policies import policy_choice
from hwsim.report.codesign_page.variants import variants_table
from hwsim.report.measures import MEASURES, asked_words
from hwsim.report.page.blocks import Block, Card, Cards, Facts, Folded, Text
from hwsim.report.page.page import Page, Section
from hwsim.report.provenance import Provenance, provenance_blocks
from hwsim.report.search_page.points import mean_bits
from hwsim.report.search_page.quantities import decibels
from hwsim.report.search_page.search_page import FOOTER
from hwsim.search.codesign import CodesignResult


def codesign_page(
    found: CodesignResult, provenance: Provenance, folders: Mapping[str, str]
) -> Page:
    """The page of a co-search.

    Args:
        found: the result.
        provenance: what the recommended variant's figures rest on.
        folders: from a variant's label to the folder with its own files.
    """
    size = found.request.image_size
    words = asked_words(found)
    asked = f"; asked for: {', '.join(words)}" if words else ""
    return Page(
        f"Machine, method and bits for {provenance.network}",
        f"{len(found.outcomes)} variants, one image of {size.height}×{size.width} pixels{asked}",
        (
            Section("recommended", "Recommended", _recommended(found, folders)),
            Section("fronts", "Fidelity against cost", (fronts_figure(found),)),
            Section("variants", "Variants", (variants_table(found, folders), _volumes(found))),
            Section("bits", "Bits of each layer", (policy_choice(found),)),
            Section(
                "provenance",
                "Where the figures come from",
                (
                    Text(f"{tables_note(found)} Below: what those of the recommended rest on."),
                    *provenance_blocks(provenance),
                ),
            ),
        ),
        FOOTER,
    )


def _recommended(found: CodesignResult, folders: Mapping[str, str]) -> tuple[Block, ...]:
    best = found.recommended()
    weights, activations = mean_bits(best.point.bits)
    least_db = found.request.limits.min_psnr_db
    cards = Cards(
        (
            Card(
                "fidelity",
                f"{decibels(best.measured.psnr_db)} dB",
                "to the float network" if least_db is None else f"at least {least_db:g} dB asked",
            ),
            *(Card(measure.name, measure.words(best)) for measure in MEASURES),
            Card("mean bits", f"{weights:.1f} / {activations:.1f}", "weights / activations"),
        )
    )
    size = best.variant.size
    area = {} if size.area_mm2 is None else {"area": f"{size.area_mm2:,.3f} mm²"}
    facts = {
        "machine": best.variant.target.accelerator.name,
        "method": best.variant.method,
        "policy": best.point.label,
        "multipliers": f"{size.multipliers:,}",
        **area,
        "SRAM": f"{size.sram_kib:,} KiB",
        "DRAM": f"{size.dram_gb_per_s:g} GB/s",
        "files": folders[best.variant.label],
    }
    lines = tuple(best.point.policy.to_yaml().splitlines())
    policy = Folded("The policy as a file for --bits", lines)
    return cards, Facts(facts), Text(evidence(found)), policy


def _volumes(found: CodesignResult) -> Text:
    reference = found.ruler.reference
    together = found.ruler.of_choices(found.choices())
    return Text(
        f"Hypervolume: what a variant's simulated policies dominate up to one reference point for "
        f"all, {reference['psnr_to_float_db']:g} dB, {reference['energy_uj']:,.4g} µJ and "
        f"{reference['latency_ms']:,.4g} ms, in dB times shares of both costs of the dearest base "
        f"policy. All variants together: {together:.2f}."
    )
