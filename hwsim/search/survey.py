"""One layer changed at a time: the measurements that the table of errors is made of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.measurement import Meter
from hwsim.search.request import SearchRequest
from quant.policy import LayerBits


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What happens to the output when one layer at a time leaves the base.

    Attributes:
        choices: what each layer may have.
        base: `Figures.mse` of the base.
        changed: float64 [layers, choices], the same with one layer changed; NaN where the layer may
            not have that choice.
    """

    choices: tuple[LayerBits, ...]
    base: float
    changed: NDArray[np.float64]


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
        UserError: a policy's graph cannot be built.
    """
    base_policy = request.base_policy

    def error(layer: int, column: int) -> float:
        bits = request.choices[column]
        own = bits == request.base
        policy = base_policy if own else base_policy.with_layer(meter.layers[layer], bits)
        measured = meter.error(policy)
        count()
        return measured

    base = meter.error(base_policy)
    changed = np.full(permitted.shape, np.nan)
    for layer, column in np.argwhere(permitted):
        changed[layer, column] = error(int(layer), int(column))
    return Survey(request.choices, base, changed)
