"""How good the policies of different machines are in one number, by one reference point."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.search.codesign.variant import Choice, Outcome
from hwsim.search.hypervolume import hypervolume
from hwsim.search.indicators import REFERENCE_DB, REFERENCE_SHARE, fidelities_db


@dataclass(frozen=True, slots=True)
class CommonRuler:
    """Measures sets of choices in dB above `REFERENCE_DB` times shares of both costs.

    Attributes:
        energy_uj: the largest energy of any variant's base policy.
        latency_ms: the longest time of any variant's base policy.
    """

    energy_uj: float
    latency_ms: float

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "CommonRuler":
        """The ruler of what was found together.

        Args:
            outcomes: at least one of them with a search.
        """
        bases = [
            (each.found.base.energy_uj, each.variant.latency_ms(each.found.base))
            for each in outcomes
            if each.found is not None
        ]
        energies_uj, latencies_ms = zip(*bases, strict=True)
        return cls(max(energies_uj), max(latencies_ms))

    @property
    def reference(self) -> dict[str, float]:
        """The reference point, by what each of its coordinates is."""
        return {
            "psnr_to_float_db": REFERENCE_DB,
            "energy_uj": REFERENCE_SHARE * self.energy_uj,
            "latency_ms": REFERENCE_SHARE * self.latency_ms,
        }

    def of_choices(self, choices: Sequence[Choice]) -> float:
        """The hypervolume.

        Divided by `REFERENCE_SHARE` squared it is the fidelity above the reference that the best
        choice has on average over all budgets of energy and time up to the reference.
        """
        if not choices:
            return 0.0
        mse = np.array([choice.measured.mse for choice in choices])
        energies = np.array([choice.measured.energy_uj for choice in choices]) / self.energy_uj
        latencies = np.array([choice.latency_ms for choice in choices]) / self.latency_ms
        points = np.stack([energies, latencies, -fidelities_db(mse)], axis=1)
        return hypervolume(points, (REFERENCE_SHARE, REFERENCE_SHARE, -REFERENCE_DB))
