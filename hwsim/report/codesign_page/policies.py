"""The bits of each layer: of what is recommended, by all and by each variant, and of the front."""

from hwsim.report.measures import MEASURES
from hwsim.report.page.blocks import Choice as ChoiceBlock
from hwsim.report.page.blocks import Item
from hwsim.report.page.strips import bit_strips, bit_swatches
from hwsim.report.search_page.bits import widths_by_layer
from hwsim.report.search_page.quantities import decibels
from hwsim.search.codesign import Choice, CodesignResult


def shown_choices(found: CodesignResult) -> tuple[Choice, ...]:
    """The recommended one, then those of the other variants, the best first, then the front."""
    recommended = [each.recommended for each in found.ranked() if each.recommended is not None]
    unique = {id(choice.point): choice for choice in (*recommended, *found.front)}
    return tuple(unique.values())


def item_names(found: CodesignResult) -> dict[int, str]:
    """What the page calls each shown choice, by the `id` of its point."""
    return {id(each.point): f"choice-{n}" for n, each in enumerate(shown_choices(found), 1)}


def policy_choice(found: CodesignResult) -> ChoiceBlock:
    """Strips for every shown choice."""
    best, names = found.recommended(), item_names(found)
    choices = shown_choices(found)
    widths = {
        width
        for choice in choices
        for bits in choice.point.bits.values()
        for width in (bits.weight_bits, bits.activation_bits)
    }
    swatches = bit_swatches(widths)
    return ChoiceBlock(
        "policies",
        "Choice",
        tuple(
            Item(
                names[id(choice.point)],
                f"{'recommended: ' if choice.point is best.point else ''}{choice.variant.label}, "
                f"{choice.point.label}",
                f"{decibels(choice.measured.psnr_db)} dB, "
                + ", ".join(f"{measure.name} {measure.words(choice)}" for measure in MEASURES),
                bit_strips(widths_by_layer(choice.point.bits), swatches),
            )
            for choice in choices
        ),
    )
