"""What a search is asked: which widths, for which image size, under which limits."""

from dataclasses import dataclass, field
from enum import Enum

from quant.common.errors import UserError
from quant.graph import Size
from quant.policy import DEFAULT_RESIDUAL_BITS, BitPolicy, LayerBits, Override

DEFAULT_WIDTHS = (2, 3, 4, 6, 8)
"""Every width would double the measurements for little: 5 and 7 bits lie between neighbours."""

UNIFORM_WIDTHS = (2, 3, 4, 5, 6, 7, 8)

DEFAULT_BASE = LayerBits(8, 8)


class Objective(Enum):
    """The cost a front trades error against."""

    ENERGY = "energy"
    CYCLES = "cycles"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a recommended policy must keep to; None is no limit.

    Attributes:
        max_energy_uj: energy of one image, in microjoules.
        max_cycles: cycles of one image.
        min_psnr_db: fidelity to the float network's output, in dB (`Measurement.psnr_db`).
    """

    max_energy_uj: float | None = None
    max_cycles: int | None = None
    min_psnr_db: float | None = None

    def __bool__(self) -> bool:
        return (self.max_energy_uj, self.max_cycles, self.min_psnr_db) != (None, None, None)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A bit-allocation search.

    Attributes:
        image_size: height and width of the input image that costs are counted for.
        widths: widths a layer's weights may have, and its activations.
        base: bits of every layer but the one that is changed, while tables are measured.
        objective: what the front trades error against.
        front_points: points of the predicted front that are measured for real.
        uniform_widths: uniform policies (weights and activations alike, the first and last layer
            at 8 bits at least) that are measured for comparison.
        limits: what the recommended policy must keep to.
        residual_bits: as in `BitPolicy`, the same for every policy.

    Raises:
        UserError: no width, a width twice or outside 1–16, or fewer than two front points.
    """

    image_size: Size
    widths: tuple[int, ...] = DEFAULT_WIDTHS
    base: LayerBits = DEFAULT_BASE
    objective: Objective = Objective.ENERGY
    front_points: int = 10
    uniform_widths: tuple[int, ...] = UNIFORM_WIDTHS
    limits: Limits = field(default_factory=Limits)
    residual_bits: int = DEFAULT_RESIDUAL_BITS

    def __post_init__(self) -> None:
        if not self.widths or len(set(self.widths)) < len(self.widths):
            given = ", ".join(str(width) for width in self.widths) or "none"
            raise UserError(f"widths: expected each width once, given {given}; list them once")
        _ = self.choices  # refuses impossible widths
        if self.front_points < 2:
            raise UserError(
                f"front points: expected at least 2 (both ends), given {self.front_points}"
            )

    @property
    def choices(self) -> tuple[LayerBits, ...]:
        """What each layer may choose from: every pair of widths, weights first."""
        return tuple(
            LayerBits(weights, activations)
            for weights in self.widths
            for activations in self.widths
        )

    @property
    def base_policy(self) -> BitPolicy:
        """Every layer at the base."""
        return BitPolicy(self.base, residual_bits=self.residual_bits)

    def uniform_policy(self, width: int) -> BitPolicy:
        """Weights and activations of one width, the first and last layer at 8 bits at least."""
        uniform = BitPolicy.parse(f"w{width}a{width}")
        return BitPolicy(uniform.default, uniform.first_and_last, residual_bits=self.residual_bits)

    def policy(self, bits: dict[str, LayerBits]) -> BitPolicy:
        """The policy that gives each layer its bits, written with as few exceptions as can be."""
        every = list(bits.values())
        default = max(dict.fromkeys(every), key=every.count)
        overrides = tuple(
            Override(layer, chosen) for layer, chosen in bits.items() if chosen != default
        )
        return BitPolicy(default, None, overrides, self.residual_bits)
