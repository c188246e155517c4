"""Cost tables around any policy: every other choice of one layer, the policy's cascades kept.

Costs do not add far from the base: as layers get narrower, more of them run together in cascades,
and traffic falls in steps that no single layer causes. Around the policy of interest they do add.
Its graph stays divided into cascades as it is (`FixedDivision`), so each entry takes a fraction of
a millisecond to a few tens of them and nothing is quantized anew.
"""

from dataclasses import replace

import numpy as np

from hwsim.search.additive import AdditiveModel
from hwsim.search.cost_table import SUMMED
from hwsim.search.measurement import Measurement, Meter
from hwsim.search.resource import Resource
from quant.graph import GraphError
from quant.graph.widths import with_layer_bits
from quant.policy import BitPolicy, LayerBits


def recentred(
    model: AdditiveModel, meter: Meter, policy: BitPolicy, bits: dict[str, LayerBits]
) -> AdditiveModel:
    """A model whose costs are counted from a policy, and exact there; errors stay as they are.

    Entries that need another operator, such as the image in fewer bits, keep the difference that
    the model has for them.

    Args:
        model: the tables; the policy is one they have entries for.
        meter: prices graphs.
        policy: the policy.
        bits: the bits of its layers.

    Raises:
        ScheduleError: the machine has no room for the policy's graph.
        UserError: the policy's graph cannot be built.
    """
    graph, division = meter.division(policy)
    center = meter.priced(division.total)
    old = model.cost
    own = [model.choices.index(bits[name]) for name in model.layers]
    change = {
        resource: old.change[resource] - old.change[resource][range(len(own)), own][:, None]
        for resource in SUMMED
    }
    sram, available = old.sram.copy(), old.available.copy()
    for layer, column in np.argwhere(available):
        name, chosen = model.layers[layer], model.choices[column]
        try:
            changed = with_layer_bits(graph, {name: (chosen.weight_bits, chosen.activation_bits)})
        except GraphError:
            continue
        cost = division.cost({} if column == own[layer] else changed)
        if cost is None:
            available[layer, column] = False
            continue
        priced = meter.priced(cost)
        sram[layer, column] = priced.layer_sram_bytes[layer]
        for resource in SUMMED:
            change[resource][layer, column] = priced.cost(resource) - center.cost(resource)
    table = replace(
        old,
        base=_base(center),
        change=change,
        sram=sram,
        other_sram=center.other_sram_bytes,
        available=available,
    )
    return replace(model, cost=table)


def _base(center: Measurement) -> dict[Resource, int]:
    return {resource: center.cost(resource) for resource in Resource}
