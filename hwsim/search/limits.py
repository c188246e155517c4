"""What a policy must keep to, in the integers that policies are counted in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from accelerators import Accelerator
from hwsim.search.resource import FEMTOJOULES_PER_MICROJOULE, SHOWN, Resource
from quant.common.errors import UserError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a recommended policy must keep to; None is no limit.

    Attributes:
        max_energy_uj: energy of one image, in microjoules; counted to the femtojoule.
        max_cycles: cycles of one image; `cycles_within` has those of a time.
        min_psnr_db: fidelity to the float network's output, in dB (`Measurement.psnr_db`).
        max_dram_bytes: bytes of one image over the DRAM bus.
        max_sram_bytes: bytes of SRAM that the buffers of any cascade occupy.
    """

    max_energy_uj: float | None = None
    max_cycles: int | None = None
    min_psnr_db: float | None = None
    max_dram_bytes: int | None = None
    max_sram_bytes: int | None = None

    def __bool__(self) -> bool:
        return bool(self.most) or self.min_psnr_db is not None

    @property
    def most(self) -> Mapping[Resource, int]:
        """The most of each limited resource, in the integers of `Figures.cost`."""
        energy_fj = None
        if self.max_energy_uj is not None:
            # Without rounding first, 0.3 uJ would be a femtojoule less than it says.
            energy_fj = math.floor(round(self.max_energy_uj * FEMTOJOULES_PER_MICROJOULE, 3))
        given = {
            Resource.ENERGY: energy_fj,
            Resource.LATENCY: self.max_cycles,
            Resource.DRAM: self.max_dram_bytes,
            Resource.SRAM: self.max_sram_bytes,
        }
        return {resource: most for resource, most in given.items() if most is not None}

    @property
    def words(self) -> tuple[str, ...]:
        """Each limit as people read it."""
        words = [f"at most {SHOWN[resource].words(most)}" for resource, most in self.most.items()]
        if self.min_psnr_db is not None:
            words.append(f"at least {self.min_psnr_db:g} dB")
        return tuple(words)


def cycles_within(accelerator: Accelerator, seconds: Fraction) -> int:
    """The most cycles an image may take to be done within a time, launch overhead included.

    Raises:
        UserError: the launch overhead alone takes longer.
    """
    overhead = Fraction(accelerator.launch_overhead_us) / 1_000_000
    if seconds < overhead:
        raise UserError(
            f"latency on {accelerator.name}: expected at least its launch overhead of "
            f"{float(overhead * 1000):g} ms, given {float(seconds * 1000):g} ms; allow more time"
        )
    return math.floor((seconds - overhead) * Fraction(accelerator.clock_mhz) * 1_000_000)
