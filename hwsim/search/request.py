"""What a search is asked: which widths, for which image size, under which limits."""

from dataclasses import dataclass, field

from hwsim.search.limits import Limits
from hwsim.search.resource import Resource
from hwsim.search.rules import LayerRules
from quant.common.errors import UserError
from quant.graph import Size
from quant.policy import DEFAULT_RESIDUAL_BITS, BitPolicy, LayerBits, Override

DEFAULT_WIDTHS = (2, 3, 4, 6, 8)
"""Every width would double the measurements for little: 5 and 7 bits lie between neighbours."""

UNIFORM_WIDTHS = (2, 3, 4, 5, 6, 7, 8)

DEFAULT_BASE = LayerBits(8, 8)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A bit-allocation search.

    Attributes:
        image_size: height and width of the input image that costs are counted for.
        widths: widths a layer's weights may have, and its activations.
        base: bits of every layer but the one that is changed, while tables are measured.
        minimize: the resource the recommended policy is to use least of; None: the error.
        against: the resource on the front; None: what is minimized, else the first that has a
            limit, else energy.
        front_points: points of the predicted front that are measured for real.
        uniform_widths: uniform policies (weights and activations alike, the first and last layer
            at 8 bits at least) that are measured for comparison; None: those of `UNIFORM_WIDTHS`
            between the least and the most of ``widths``.
        limits: what the recommended policy must keep to.
        rules: what single layers may choose from, and which choose alike.
        residual_bits: as in `BitPolicy`, the same for every policy.
        pairs_below: rank correlation of predicted and measured errors below which what neighbours
            add together is measured too.
        local_search_evaluations: policies near the best of the others that are measured too, at
            most; 0 for no local search.
        run_on_machine: whether the recommended and the best measured policies are run on the
            simulated machine, command by command, and compared bit for bit.

    Raises:
        UserError: no width, a width twice or outside 1–16, fewer than two front points, a negative
            number of evaluations, a resource to minimize without a least fidelity, or another one
            on the front.
    """

    image_size: Size
    widths: tuple[int, ...] = DEFAULT_WIDTHS
    base: LayerBits = DEFAULT_BASE
    minimize: Resource | None = None
    against: Resource | None = None
    front_points: int = 10
    uniform_widths: tuple[int, ...] | None = None
    limits: Limits = field(default_factory=Limits)
    rules: LayerRules = field(default_factory=LayerRules)
    residual_bits: int = DEFAULT_RESIDUAL_BITS
    pairs_below: float = 0.9
    local_search_evaluations: int = 0
    run_on_machine: bool = True

    def __post_init__(self) -> None:
        if not self.widths or len(set(self.widths)) < len(self.widths):
            given = ", ".join(str(width) for width in self.widths) or "none"
            raise UserError(f"widths: expected each width once, given {given}; list them once")
        _ = self.choices  # refuses impossible widths
        if self.front_points < 2:
            raise UserError(
                f"front points: expected at least 2 (both ends), given {self.front_points}"
            )
        if self.local_search_evaluations < 0:
            raise UserError(
                f"local search: expected no evaluations or some, given "
                f"{self.local_search_evaluations}; give --refine 0 or more"
            )
        self._check_aim()

    def _check_aim(self) -> None:
        if self.minimize is None:
            return
        if self.limits.min_psnr_db is None:
            raise UserError(
                f"minimize {self.minimize.value}: expected a least fidelity too, given none, and "
                "the narrowest widths cost least; give --min-psnr"
            )
        if self.against not in (None, self.minimize):
            raise UserError(
                f"minimize {self.minimize.value}: expected the front against the same resource, "
                f"given {self.against.value}; leave --against out"
            )

    @property
    def resource(self) -> Resource:
        """What the front trades error against."""
        limited = next(iter(self.limits.most), Resource.ENERGY)
        return self.minimize or self.against or limited

    @property
    def choices(self) -> tuple[LayerBits, ...]:
        """What any layer may choose from: every pair of widths, and what exceptions have beside."""
        return self.rules.with_exceptions(self.usual_choices)

    @property
    def usual_choices(self) -> tuple[LayerBits, ...]:
        """What a layer may choose from without a rule: every pair of widths, weights first."""
        return tuple(
            LayerBits(weights, activations)
            for weights in self.widths
            for activations in self.widths
        )

    @property
    def uniform_policies(self) -> tuple[BitPolicy, ...]:
        """The uniform policies that are measured for comparison."""
        widths = self.uniform_widths
        if widths is None:
            least, most = min(self.widths), max(self.widths)
            widths = tuple(width for width in UNIFORM_WIDTHS if least <= width <= most)
        return tuple(map(self.uniform_policy, widths))

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
