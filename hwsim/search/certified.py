"""The policy the tables predict to be best within the limits, and the proof of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwsim.search.additive import AdditiveModel
from hwsim.search.cost_table import SUMMED
from hwsim.search.integer_program import Limited, Optimum
from hwsim.search.limits import Limits
from hwsim.search.measurement import PEAK_CODE, Figures
from hwsim.search.optimum import least_sum
from hwsim.search.pairs import Indices
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import Resource
from quant.policy import LayerBits


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """A policy that is best by the tables.

    Attributes:
        bits: the bits of each layer.
        predicted: what the tables say of it.
        minimized: the resource; None: the error.
        value: what was minimized, predicted: femtojoules, cycles, bytes, or error in units of
            `UNITS_PER_SQUARED_CODE`.
        bound: no policy within the limits is predicted to have less.
    """

    bits: dict[str, LayerBits]
    predicted: Figures
    minimized: Resource | None
    value: int
    bound: int

    @property
    def gap(self) -> float:
        """How far the value may be from the best there is, as a share of it; 0 when proven."""
        return (self.value - self.bound) / abs(self.value) if self.value != self.bound else 0.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits in the integers of the tables.

    Attributes:
        most: of each limited resource.
        error: in units of `UNITS_PER_SQUARED_CODE`; None is no limit.
    """

    most: dict[Resource, int]
    error: int | None

    @classmethod
    def of(cls, limits: Limits) -> "Bounds":
        """The limits of a request."""
        if limits.min_psnr_db is None:
            return cls(dict(limits.most), None)
        mse: float = PEAK_CODE**2 / 10 ** (limits.min_psnr_db / 10)
        return cls(dict(limits.most), math.floor(mse * UNITS_PER_SQUARED_CODE))

    def worst_overrun(self, figures: Figures) -> float:
        """The largest factor by which figures are beyond a bound; up to 1 within all."""
        factors = [figures.cost(resource) / max(most, 1) for resource, most in self.most.items()]
        if self.error is not None:
            factors.append(figures.mse * UNITS_PER_SQUARED_CODE / max(self.error, 1))
        return max(factors, default=0.0)

    def corrected(self, predicted: Figures, measured: Figures) -> "Bounds":
        """The bound on errors that predictions must keep to so that measurements keep to this one.

        Predictions are taken to be off by the same factor as for one policy, whether too low or too
        high. Costs are not touched.

        Args:
            predicted: of that policy.
            measured: of the same policy.
        """
        if self.error is None or measured.mse == 0:
            return self
        return replace(self, error=math.floor(self.error * predicted.mse / measured.mse))


def certified_optimum(
    model: AdditiveModel, minimize: Resource | None, bounds: Bounds
) -> Certificate | None:
    """The policy with the least predicted cost, or error, within predicted limits.

    Args:
        model: the tables of one division; only policies that find room in it count.
        minimize: what is to be least; None: the error.
        bounds: the limits.

    Returns:
        The optimum; None where the tables predict no policy within the limits.

    Raises:
        UserError: the solver neither found a policy nor proved that there is none.
    """
    most_sram = bounds.most.get(Resource.SRAM)
    if most_sram is not None and most_sram < model.cost.other_sram:
        return None
    if minimize is Resource.SRAM:
        return _least_sram(model, bounds)
    usable = model.usable(most_sram)
    if minimize is None:
        found = _most_faithful(model, _limits(model, bounds, usable), usable)
        offset = model.quality.base
    else:
        found = _cheapest(model, minimize, bounds, usable)
        offset = model.cost.base[minimize]
    if found is None:
        return None
    return _certificate(
        model, usable, found.picks, minimize, found.value + offset, found.bound + offset
    )


def _limits(model: AdditiveModel, bounds: Bounds, usable: Sequence[Indices]) -> tuple[Limited, ...]:
    """The limits on sums: those asked for, except on SRAM, and what each cascade has room for."""
    limits = [
        Limited(
            model.costs(resource, usable),
            most - model.cost.base[resource],
            model.links_of(resource, usable),
        )
        for resource, most in bounds.most.items()
        if resource in SUMMED
    ]
    if bounds.error is not None:
        room = bounds.error - model.quality.base
        limits.append(Limited(model.errors(usable), room, model.links_of(None, usable)))
    most_sram = bounds.most.get(Resource.SRAM)
    limits += [Limited(*demand) for demand in model.demands(usable, most_sram)]
    return tuple(limits)


def _cheapest(
    model: AdditiveModel, minimize: Resource, bounds: Bounds, usable: Sequence[Indices]
) -> Optimum | None:
    """The cheapest, and of equally cheap ones the most faithful."""
    values, limits = model.costs(minimize, usable), _limits(model, bounds, usable)
    links = model.links_of(minimize, usable)
    found = least_sum(values, limits, links=links)
    if found is None:
        return None
    as_cheap = _most_faithful(model, (*limits, Limited(values, found.value, links)), usable)
    return found if as_cheap is None else replace(found, picks=as_cheap.picks)


def _most_faithful(
    model: AdditiveModel, limits: Sequence[Limited], usable: Sequence[Indices]
) -> Optimum | None:
    return least_sum(model.errors(usable), limits, links=model.links_of(None, usable))


def _least_sram(model: AdditiveModel, bounds: Bounds) -> Certificate | None:
    """The least amount of SRAM with which the other limits can be kept to, by bisection.

    More SRAM allows every choice that less allows, so there is one amount from which on it works.
    """
    machine_bytes = model.cost.rooms.machine_bytes
    least = model.cost.other_sram
    most = min(machine_bytes, bounds.most.get(Resource.SRAM, machine_bytes))
    best = None if most < least else _within(model, bounds, most)
    if best is None:
        return None
    while least < best.value:
        middle = (least + best.value - 1) // 2
        found = _within(model, bounds, middle)
        if found is None:
            least = middle + 1
        else:
            best = found
    return replace(best, bound=best.value)


def _within(model: AdditiveModel, bounds: Bounds, most_sram: int) -> Certificate | None:
    """The most faithful policy within so much SRAM; its value is what it occupies."""
    usable = model.usable(most_sram)
    limited = replace(bounds, most={**bounds.most, Resource.SRAM: most_sram})
    found = _most_faithful(model, _limits(model, limited, usable), usable)
    if found is None:
        return None
    certificate = _certificate(model, usable, found.picks, Resource.SRAM, 0, 0)
    return replace(certificate, value=certificate.predicted.sram_bytes)


def _certificate(
    model: AdditiveModel,
    usable: Sequence[Indices],
    picks: Sequence[int],
    minimize: Resource | None,
    value: int,
    bound: int,
) -> Certificate:
    policy = model.columns_of(usable, [np.array([pick]) for pick in picks])
    names = zip(model.layers, policy[0], strict=True)
    bits = {name: model.choices[column] for name, column in names}
    return Certificate(bits, model.figures(policy), minimize, value, bound)
