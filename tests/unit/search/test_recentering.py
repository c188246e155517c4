"""Tables recentred at a policy, on a small network quantized for real."""

import numpy as np

from hwsim.ledger import Ledger
from hwsim.search.cost_table import SUMMED
from hwsim.search.measurement import Meter
from hwsim.search.recentering import recentred
from hwsim.search.resource import Resource
from quant.policy import BitPolicy, LayerBits
from tests.unit.search.test_search import REQUEST, TARGET, found, network

W4A4, W8A8 = LayerBits(4, 4), LayerBits(8, 8)


def test_recentred_tables_are_exact_at_the_policy_and_one_layer_from_it() -> None:
    build, pictures = network()
    meter = Meter(build, REQUEST.base_policy, pictures, TARGET, Ledger())
    model = found().model
    bits = dict.fromkeys(model.layers, W4A4) | {model.layers[0]: W8A8}

    around = recentred(model, meter, REQUEST.policy(bits), bits)

    for changed in (None, (2, LayerBits(2, 8)), (4, LayerBits(8, 2)), (5, LayerBits(2, 2))):
        near = dict(bits)
        if changed is not None:
            near[model.layers[changed[0]]] = changed[1]
        predicted = around.predict(near)
        measured = meter.measure(REQUEST.policy(near))
        before = model.predict(near)
        assert predicted is not None
        assert before is not None
        for resource in SUMMED:
            assert predicted.cost(resource) == measured.cost(resource)
        assert predicted.mse == before.mse
    assert around.cost.base[Resource.SRAM] == meter.measure(REQUEST.policy(bits)).sram_bytes


def test_the_image_in_fewer_bits_keeps_its_difference() -> None:
    build, pictures = network()
    meter = Meter(build, REQUEST.base_policy, pictures, TARGET, Ledger())
    model = found().model

    bits = dict.fromkeys(model.layers, W8A8)
    around = recentred(model, meter, BitPolicy(W8A8), bits)

    column = model.choices.index(LayerBits(8, 2))
    own = model.choices.index(W8A8)
    for resource in SUMMED:
        before, after = model.cost.change[resource][0], around.cost.change[resource][0]
        assert after[column] == before[column] - before[own]
        assert after[own] == 0
    np.testing.assert_array_equal(around.quality.increase, model.quality.increase)
