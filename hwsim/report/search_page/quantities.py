"""A policy's costs as the page shows them: in which unit, with how many digits."""

import math
from dataclasses import dataclass

from hwsim.search.measurement import Figures
from hwsim.search.resource import FEMTOJOULES_PER_MICROJOULE, Resource

_SMALL = 1
"""Below, digits are counted from the first one: costs of a toy would all be 0.6."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """How a resource is shown.

    Attributes:
        resource: what it is.
        name: what people call it.
        unit: the unit, empty where the name says it.
        per_unit: how many of what `Figures.cost` counts make one of it.
        digits: behind the decimal point.
    """

    resource: Resource
    name: str
    unit: str
    per_unit: int
    digits: int

    @property
    def title(self) -> str:
        """Name and unit, for axes and columns."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    def amount(self, figures: Figures) -> float:
        """What a policy takes, in the unit."""
        return figures.cost(self.resource) / self.per_unit

    def number(self, figures: Figures) -> str:
        """What a policy takes, as people read it, without the unit; small amounts to 4 digits."""
        return self.rounded(self.amount(figures))

    def rounded(self, amount: float) -> str:
        """Any amount, in the unit, likewise."""
        return rounded(amount, self.digits)

    def words(self, figures: Figures) -> str:
        """What a policy takes, with the unit."""
        return f"{self.number(figures)} {self.unit}".rstrip()


COSTS = (
    Quantity(Resource.ENERGY, "energy", "µJ", FEMTOJOULES_PER_MICROJOULE, 1),
    Quantity(Resource.LATENCY, "cycles", "", 1, 0),
    Quantity(Resource.DRAM, "DRAM traffic", "MB", 1_000_000, 2),
    Quantity(Resource.SRAM, "SRAM", "KiB", 1024, 0),
)
"""The costs of one image."""


def rounded(amount: float, digits: int) -> str:
    """An amount with so many digits behind the point; small ones to 4 digits."""
    return f"{amount:,.{digits}f}" if amount >= _SMALL else f"{amount:.4g}"


def quantity_of(resource: Resource) -> Quantity:
    """How a resource is shown."""
    return next(quantity for quantity in COSTS if quantity.resource is resource)


def signed(change: float, digits: int) -> str:
    """A change as people read it, with its sign."""
    rounded = round(change, digits) + 0.0  # no negative zero
    return f"{rounded:+.{digits}f}".replace("-", "−").replace("inf", "∞")


def decibels(psnr_db: float) -> str:
    """A fidelity without its unit."""
    return "∞" if math.isinf(psnr_db) else f"{psnr_db:.2f}"
