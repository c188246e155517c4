"""What a co-search chooses among, machine and method together, and what came of each."""

from dataclasses import dataclass

from accelerators import Area, MachineSize, area_of
from hwsim.search.confirmation import Point
from hwsim.search.evaluation import BuildGraph, Target
from hwsim.search.measurement import Figures, Measurement
from hwsim.search.request import SearchRequest
from hwsim.search.resource import Resource
from hwsim.search.result import SearchResult


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A machine and a method, whose bits are to be searched.

    Attributes:
        label: its name, unlike that of any other.
        method: name of the quantization method.
        target: the machine, its prices and the image size.
        request: what is asked of it; its limit on time is in cycles of this machine's clock.
        build_graph: quantizes the network by this method as this machine computes.
        normalizes_at_run_time: whether the method's graphs need what only run-time normalization
            needs, which then is part of the machine's area.
    """

    label: str
    method: str
    target: Target
    request: SearchRequest
    build_graph: BuildGraph
    normalizes_at_run_time: bool = False

    @property
    def size(self) -> MachineSize:
        """How much hardware the machine is."""
        return MachineSize.of(self.target.energy, self.normalizes_at_run_time)

    @property
    def area(self) -> Area:
        """The machine's area, by component."""
        energy = self.target.energy
        return area_of(energy.accelerator, energy.table, self.normalizes_at_run_time)

    def latency_ms(self, figures: Figures) -> float:
        """Time of an image, launch overhead included, in milliseconds."""
        return self.target.accelerator.latency_ms(figures.cycles)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """This machine with this method and this policy.

    Attributes:
        variant: the machine and the method.
        point: the policy, as it was measured there.
    """

    variant: Variant
    point: Point

    @property
    def measured(self) -> Measurement:
        """What the policy really does on the machine."""
        return self.point.measured

    @property
    def latency_ms(self) -> float:
        """Time of an image, launch overhead included, in milliseconds."""
        return self.variant.latency_ms(self.measured)

    @property
    def standing(self) -> tuple[float, float]:
        """Less is better: what the request minimizes, and what decides among equals.

        Time is compared in milliseconds, for clocks differ.
        """
        minimize, measured = self.variant.request.minimize, self.measured
        if minimize is None:
            return measured.mse, measured.energy_fj
        if minimize is Resource.LATENCY:
            return self.latency_ms, measured.mse
        return measured.cost(minimize), measured.mse


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of a variant.

    Attributes:
        variant: the variant.
        found: its search; None where it ended for want of room.
        recommended: the best of it within the limits; None without any.
        reason: why there is nothing to recommend, in a sentence; empty where there is.
    """

    variant: Variant
    found: SearchResult | None
    recommended: Choice | None
    reason: str = ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every measured policy whose layers may have their bits."""
        points = () if self.found is None else self.found.points
        return tuple(Choice(self.variant, point) for point in points if point.permitted)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A machine that was asked for and cannot be.

    Attributes:
        label: its name.
        reason: why, in a sentence.
    """

    label: str
    reason: str
