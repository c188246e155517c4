"""One layer changed at a time: the measurements that both tables are made of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule import ScheduleError
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

    def changed(layer: str, bits: LayerBits) -> Measurement | None:
        policy = base_policy if bits == request.base else base_policy.with_layer(layer, bits)
        try:
            return meter.measure(policy)
        except ScheduleError:
            return None
        finally:
            count()

    return Survey(
        meter.layers,
        request.choices,
        base,
        tuple(
            tuple(
                changed(layer, bits) if may else None
                for bits, may in zip(request.choices, row, strict=True)
            )
            for layer, row in zip(meter.layers, permitted, strict=True)
        ),
    )
