"""One layer changed at a time: the measurements that the table of errors is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.measurement import Meter
from hwsim.search.request import SearchRequest
from hwsim.search.rules import Group
from quant.policy import BitPolicy, LayerBits


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What happens to the output when one layer at a time leaves the base.

    Attributes:
        choices: what each layer may have.
        base: `Figures.mse` of the base.
        changed: float64 [layers, choices], the same with one layer changed, or with all layers
            that are tied to it, of which the first stands for all; NaN elsewhere, and where the
            layer may not have that choice.
    """

    choices: tuple[LayerBits, ...]
    base: float
    changed: NDArray[np.float64]


def survey(
    meter: Meter,
    request: SearchRequest,
    permitted: NDArray[np.bool_],
    groups: Sequence[Group],
    count: Callable[[], None],
) -> Survey:
    """Measure the base, and every choice a layer may have with all other layers at the base.

    Args:
        meter: measures policies.
        request: the base and the choices.
        permitted: bool [layers, choices], what each layer may have.
        groups: positions of layers that have the same bits as one another.
        count: called after each measurement.

    Raises:
        UserError: a policy's graph cannot be built.
    """
    places = [(group, column) for group in groups for column in np.flatnonzero(permitted[group[0]])]
    policies = [
        changed_policy(meter.layers, request.base_policy, group, request.choices[column])
        for group, column in places
    ]
    base, *errors = meter.errors_of([request.base_policy, *policies], count)
    changed = np.full(permitted.shape, np.nan)
    for (group, column), error in zip(places, errors, strict=True):
        changed[group[0], column] = error
    return Survey(request.choices, base, changed)


def changed_policy(
    layers: Sequence[str], policy: BitPolicy, group: Group, bits: LayerBits
) -> BitPolicy:
    """A policy with other bits for the layers of a group."""
    for layer in group:
        policy = policy.with_layer(layers[layer], bits)
    return policy
