"""The costs of choices among machines, in the units people read them in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hwsim.report.search_page.quantities import quantity_of, rounded
from hwsim.search import Resource
from hwsim.search.codesign import Choice, CodesignResult, Variant

_CYCLES_ARE_WHOLE = 1e-3
"""Share by which limits differ that are the same time, rounded down to cycles."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How a resource is shown where clocks differ.

    Attributes:
        resource: what it is.
        name: what people call it.
        unit: the unit.
        digits: behind the decimal point.
        amount: what a choice takes, in the unit.
    """

    resource: Resource
    name: str
    unit: str
    digits: int
    amount: Callable[[Choice], float]

    @property
    def title(self) -> str:
        """Name and unit, for axes and columns."""
        return f"{self.name} [{self.unit}]"

    def number(self, choice: Choice) -> str:
        """What a choice takes, as people read it, without the unit."""
        return rounded(self.amount(choice), self.digits)

    def words(self, choice: Choice) -> str:
        """What a choice takes, with the unit."""
        return f"{self.number(choice)} {self.unit}"


def _as_of_a_search(resource: Resource, name: str) -> Measure:
    shown = quantity_of(resource)
    return Measure(
        resource, name, shown.unit, shown.digits, lambda choice: shown.amount(choice.measured)
    )


MEASURES = (
    _as_of_a_search(Resource.ENERGY, "energy"),
    Measure(Resource.LATENCY, "time", "ms", 3, lambda choice: choice.latency_ms),
    _as_of_a_search(Resource.DRAM, "DRAM traffic"),
    _as_of_a_search(Resource.SRAM, "SRAM in use"),
)
"""The costs of one image; time instead of cycles."""


def measure_of(resource: Resource) -> Measure:
    """How a resource is shown."""
    return next(measure for measure in MEASURES if measure.resource is resource)


def limit_of(variants: Sequence[Variant], measure: Measure) -> float | None:
    """What all variants are limited to, in the unit.

    A limit in cycles is another time for each clock: there is one for all only where the cycles
    were those of one time.
    """
    amounts = [_limit(variant, measure.resource) for variant in variants]
    given = [amount for amount in amounts if amount is not None]
    if not given or max(given) - min(given) > _CYCLES_ARE_WHOLE * max(given):
        return None
    return given[0]


def asked_words(found: CodesignResult) -> tuple[str, ...]:
    """What a co-search was asked for, of machines and of policies, as people read it."""
    words = limit_words([outcome.variant for outcome in found.outcomes])
    if found.aim.max_area_mm2 is not None:
        words = (*words, f"at most {found.aim.max_area_mm2:g} mm²")
    return (*words, "the least area") if found.aim.least_area else words


def limit_words(variants: Sequence[Variant]) -> tuple[str, ...]:
    """Each limit as people read it."""
    limits = variants[0].request.limits
    least_db, most_cycles = limits.min_psnr_db, limits.max_cycles
    words = []
    for measure in MEASURES:
        amount = limit_of(variants, measure)
        if amount is not None:
            words.append(f"at most {rounded(amount, measure.digits)} {measure.unit}")
        elif measure.resource is Resource.LATENCY and most_cycles is not None:
            words.append(f"at most {most_cycles:,} cycles")
    return (*words, *([] if least_db is None else [f"at least {least_db:g} dB"]))


def _limit(variant: Variant, resource: Resource) -> float | None:
    most = variant.request.limits.most.get(resource)
    if most is None:
        return None
    if resource is Resource.LATENCY:
        return variant.target.accelerator.latency_ms(most)
    return most / quantity_of(resource).per_unit
