"""One layer changed at a time: the measurements that both tables are made of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.measurement import Measurement, Meter
from hwsim.search.request import SearchRequest
from quant.policy import LayerBits


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What happens when one layer at a time leaves the base.

    Attributes:
        layers: names of the convolutions, first to last.
        choices: what each layer may have.
        base: every layer at the base.
        changed: for each layer, for each choice, what changing that layer alone gives; None where
            the machine has no room for it or the layer may not have it.
    """

    layers: tuple[str, ...]
    choices: tuple[LayerBits, ...]
    base: Measurement
    changed: tuple[tuple[Measurement | None, ...], ...]


def survey(
    meter: Meter,
    request: SearchRequest,
    permitted: NDArray[np.bool_],
    count: Callable[[], None],
) -> Survey:
    """Measure the base, and every choice a layer may have with all other layers at the base.

    Args:
        meter: measures policies.
        request: the base and the choices.
        permitted: bool [layers, choices], what each layer may have.
        count: called after each measurement.

    Raises:
        ScheduleError: the machine has no room for the base.
        UserError: a policy's graph cannot be built.
    """
    base_policy = request.base_policy
    base = meter.measure(base_policy)
    count()

    places = np.argwhere(permitted)
    policies = [
        base_policy
        if request.choices[column] == request.base
        else base_policy.with_layer(meter.layers[layer], request.choices[column])
        for layer, column in places
    ]
    changed: list[list[Measurement | None]] = [[None] * len(row) for row in permitted]
    for (layer, column), found in zip(places, meter.measure_all(policies, count), strict=True):
        changed[layer][column] = found
    return Survey(meter.layers, request.choices, base, tuple(map(tuple, changed)))
