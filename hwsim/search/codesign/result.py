"""What a co-search found: every variant's search, the one to take, and the trades between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hwsim.search.certified import Bounds
from hwsim.search.codesign.common_ruler import CommonRuler
from hwsim.search.codesign.machine_aim import NO_AIM, MachineAim
from hwsim.search.codesign.variant import Choice, Outcome, Rejected
from hwsim.search.dominance import undominated_points
from hwsim.search.no_policy import NoPolicyError
from hwsim.search.request import SearchRequest
from hwsim.search.result import SearchResult

Objective = Callable[[Choice], float]


@dataclass(frozen=True, eq=False)
class CodesignResult:
    """Everything a co-search found.

    Attributes:
        outcomes: what came of each variant, in the order they were given.
        rejected: machines that were asked for and cannot be, or have too much area.
        aim: what was asked of machines.
    """

    outcomes: tuple[Outcome, ...]
    rejected: tuple[Rejected, ...] = ()
    aim: MachineAim = NO_AIM

    @property
    def request(self) -> SearchRequest:
        """What was asked of the first variant; of the others too, but for the limit on cycles."""
        return self.outcomes[0].variant.request

    def recommended(self) -> Choice:
        """The best of what the variants recommend; of equals the first.

        Raises:
            NoPolicyError: none recommends anything; the message has why the nearest does not.
        """
        best = self.ranked()[0]
        if best.recommended is None:
            nearest = min(self.outcomes, key=_distance)
            raise NoPolicyError(
                f"co-search: expected a policy within the limits on one of {len(self.outcomes)} "
                f"variants, found none; nearest comes {nearest.variant.label}: {nearest.reason}"
            )
        return best.recommended

    def search_of(self, choice: Choice) -> SearchResult:
        """The search that found a choice."""
        (own,) = (each.found for each in self.outcomes if each.variant is choice.variant)
        assert own is not None, "a choice was found"
        return own

    def ranked(self) -> tuple[Outcome, ...]:
        """The outcomes, the best first, those without a recommendation last."""
        return tuple(
            sorted(
                self.outcomes,
                key=lambda each: (
                    (True, ())
                    if each.recommended is None
                    else (False, self.aim.standing(each.recommended))
                ),
            )
        )

    @property
    def mismatches(self) -> int:
        """Integers of the machines that differ, of all policies that were run on them."""
        return sum(outcome.found.mismatches for outcome in self.outcomes if outcome.found)

    def choices(self) -> tuple[Choice, ...]:
        """Every measured policy of every variant whose layers may have their bits."""
        return tuple(choice for outcome in self.outcomes for choice in outcome.choices)

    @cached_property
    def front(self) -> tuple[Choice, ...]:
        """What no other choice equals or beats in error, energy and time, the cheapest first."""
        kept = unbeaten(
            self.choices(),
            lambda choice: choice.measured.mse,
            lambda choice: choice.measured.energy_fj,
            lambda choice: choice.latency_ms,
        )
        return tuple(sorted(kept, key=lambda choice: choice.measured.energy_fj))

    @cached_property
    def ruler(self) -> CommonRuler:
        """What the variants are measured by; there is one as soon as one of them has room."""
        return CommonRuler.of(self.outcomes)


def unbeaten(choices: Sequence[Choice], *objectives: Objective) -> list[Choice]:
    """The choices that no other equals or beats in every objective; of equal ones the first.

    Args:
        choices: what there is.
        objectives: two to four, each better the less it is.
    """
    if not choices:
        return []
    # The places of figures among each other say as much about which is less, in integers.
    places = [
        np.unique([objective(choice) for choice in choices], return_inverse=True)[1]
        for objective in objectives
    ]
    kept = undominated_points(np.stack(places, axis=1).astype(np.int64))
    return [choices[index] for index in kept]


def _distance(outcome: Outcome) -> float:
    """By which factor the nearest policy of a variant is beyond the limits."""
    bounds = Bounds.of(outcome.variant.request.limits)
    overruns = [bounds.worst_overrun(choice.measured) for choice in outcome.choices]
    return min(overruns, default=np.inf)
