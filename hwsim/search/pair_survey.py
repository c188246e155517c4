"""Errors of neighbours that do not add: two layers changed together, measured.

At few bits the disturbances of neighbours are correlated (Deng et al., "Mixed-precision
quantization with cross-layer dependencies", arXiv 2307.05657). What two choices add together beyond
their own entries is measured for the choices that policies along the front have; all others count
as nothing.
"""

from itertools import pairwise, product

import numpy as np

from hwsim.search.additive import Columns
from hwsim.search.divided import DividedModel
from hwsim.search.measurement import Meter
from hwsim.search.pairs import PairTables
from hwsim.search.progress import Counter
from hwsim.search.quality_table import in_units
from hwsim.search.request import SearchRequest
from hwsim.search.survey import changed_policy


def neighbour_errors(
    meter: Meter, request: SearchRequest, model: DividedModel, front: Columns, counter: Counter
) -> PairTables:
    """What neighbours' choices add together to the error.

    Args:
        meter: measures policies.
        request: the base and the choices.
        model: the tables of single layers; tied layers count as one.
        front: intp [policies, layers], policies whose choices are measured.
        counter: told of each measurement.

    Raises:
        UserError: a policy's graph cannot be built.
    """
    places = [
        (here, there, int(one), int(other))
        for here, there in pairwise(model.groups)
        for one, other in product(np.unique(front[:, here[0]]), np.unique(front[:, there[0]]))
    ]
    counter.expect(len(places))
    policies = []
    for here, there, one, other in places:
        policy = changed_policy(meter.layers, request.base_policy, here, request.choices[one])
        policies.append(changed_policy(meter.layers, policy, there, request.choices[other]))
    increase, size = model.quality.increase, len(model.choices)
    tables = {(here[0], there[0]): np.zeros((size, size), np.int64) for here, there, *_ in places}
    errors = meter.errors_of(policies, counter.step)
    for (here, there, one, other), error in zip(places, errors, strict=True):
        alone = model.quality.base + increase[here[0], one] + increase[there[0], other]
        tables[here[0], there[0]][one, other] = in_units(error) - int(alone)
    return tables
