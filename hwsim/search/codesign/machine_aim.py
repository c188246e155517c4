"""What a co-search is asked of machines, beside what it is asked of their policies."""

import math
from dataclasses import dataclass

from hwsim.search.codesign.variant import Choice, Variant


@dataclass(frozen=True, slots=True)
class MachineAim:
    """A limit on area, and whether the least of it wins.

    Attributes:
        max_area_mm2: the most area a machine may have, in square millimetres; None is no limit.
        least_area: whether the machine with least area wins; what the request minimizes then
            decides the bits on each machine, and among machines of one area.
    """

    max_area_mm2: float | None = None
    least_area: bool = False

    @property
    def reckons_with_area(self) -> bool:
        """Whether a machine of unknown area cannot be judged."""
        return self.least_area or self.max_area_mm2 is not None

    def refusal(self, variant: Variant) -> str | None:
        """Why a variant cannot be chosen whatever its bits, in a sentence; None where it can."""
        if not self.reckons_with_area:
            return None
        area = variant.area
        if area.area_mm2 is None:
            return f"its area is not known: {area.missing[0]}"
        if self.max_area_mm2 is not None and area.area_mm2 > self.max_area_mm2:
            return (
                f"it has {area.area_mm2:.4g} mm2, at most {self.max_area_mm2:g} were asked for; "
                "make its array or its SRAM smaller or allow more area"
            )
        return None

    def area_to_minimize(self, variant: Variant) -> float:
        """What variants are ordered by before anything else: their area, or nothing."""
        if not self.least_area:
            return 0.0
        area_mm2 = variant.area.area_mm2
        return math.inf if area_mm2 is None else area_mm2

    def is_larger(self, variant: Variant, than: Variant) -> bool:
        """Whether a variant has more of the area that is minimized than another."""
        return self.area_to_minimize(variant) > self.area_to_minimize(than)

    def standing(self, choice: Choice) -> tuple[float, ...]:
        """Less is better."""
        return self.area_to_minimize(choice.variant), *choice.standing


NO_AIM = MachineAim()
"""Machines may have any area."""
