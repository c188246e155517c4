"""Cost tables of real networks against estimates of whole graphs."""

from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from accelerators import Accelerator
from hwsim.ledger import Ledger
from hwsim.search.cost_records import record_to_table, table_to_record
from hwsim.search.cost_table import SUMMED, CostTable
from hwsim.search.measurement import Meter, Target
from hwsim.search.pricing import cost_table, parts_of
from hwsim.search.resource import Resource
from quant.graph import Size
from quant.policy import BitPolicy, LayerBits
from tests.machines import machine, prices
from tests.unit.search.test_search import REQUEST, network

SIZE = Size(40, 48)
CHOICES = tuple(LayerBits(*pair) for pair in product((2, 4, 8), repeat=2))
LAYERS = 6
ALONE = tuple((layer,) for layer in range(LAYERS))


def meter_of(accelerator: Accelerator, folder: Path | None = None) -> Meter:
    build, pictures = network()
    target = Target(accelerator, prices(accelerator), SIZE)
    return Meter(build, REQUEST.base_policy, pictures, target, Ledger(folder))


def every(accelerator: Accelerator, bits: str) -> tuple[Meter, CostTable]:
    meter = meter_of(accelerator)
    permitted = np.ones((LAYERS, len(CHOICES)), np.bool_)
    return meter, cost_table(meter, BitPolicy.parse(bits), CHOICES, permitted, ALONE)


@cache
def in_cascades() -> tuple[Meter, CostTable]:
    return every(machine(sram_kib=12, array=8), "w4a4/all")


def some_policies(count: int) -> np.ndarray:
    random = np.random.default_rng(3)
    columns = random.integers(0, len(CHOICES), (count, LAYERS))
    columns[:, 0] = CHOICES.index(LayerBits(8, 8))  # the image in fewer bits is another graph
    return columns


def policy_of(columns: np.ndarray, layers: tuple[str, ...]) -> BitPolicy:
    bits = {name: CHOICES[column] for name, column in zip(layers, columns, strict=True)}
    return REQUEST.policy(bits)


def test_costs_of_one_change_are_those_of_a_whole_estimate_divided_alike() -> None:
    meter, table = in_cascades()
    center = BitPolicy.parse("w4a4/all")
    compared = 0
    for layer, column in product(range(LAYERS), range(len(CHOICES))):
        policy = center.with_layer(meter.layers[layer], CHOICES[column])
        own = CHOICES.index(LayerBits(4, 4))
        columns = np.full((1, LAYERS), own)
        columns[0, layer] = column
        if layer == 0 or parts_of(meter, policy) != table.parts:
            continue
        assert table.is_right(columns).all()
        measured = meter.cost(policy)
        for resource in Resource:
            assert table.costs(resource, columns)[0] == measured.cost(resource)
        compared += 1
    assert compared > LAYERS


@pytest.mark.parametrize("sram_kib", [10, 12, 64])
def test_where_a_table_is_right_bytes_and_room_are_exact(sram_kib: int) -> None:
    meter, table = every(machine(sram_kib=sram_kib, array=8), "w4a4")
    policies = some_policies(40)
    is_right = table.is_right(policies)
    compared = 0
    for columns, right in zip(policies, is_right, strict=True):
        policy = policy_of(columns, meter.layers)
        if parts_of(meter, policy) != table.parts:
            continue
        assert right  # the scheduler found room
        measured = meter.cost(policy)
        for resource in (Resource.DRAM, Resource.SRAM):
            assert table.costs(resource, columns[None])[0] == measured.cost(resource)
        for resource in (Resource.ENERGY, Resource.LATENCY):
            assert table.costs(resource, columns[None])[0] == pytest.approx(
                measured.cost(resource), rel=0.02
            )
        compared += 1
    assert compared >= 3


def test_layer_by_layer_a_table_is_right_everywhere() -> None:
    meter, table = every(machine(sram_kib=64, array=8, fusion=False), "w8a8")
    policies = some_policies(6)
    assert table.alone.all()
    assert table.is_right(policies).all()
    for columns in policies:
        measured = meter.cost(policy_of(columns, meter.layers))
        assert table.costs(Resource.DRAM, columns[None])[0] == measured.dram_bytes


def test_a_table_is_found_again(tmp_path: Path) -> None:
    _, table = in_cascades()
    permitted = np.ones((LAYERS, len(CHOICES)), np.bool_)
    center = BitPolicy.parse("w4a4/all")
    accelerator = machine(sram_kib=12, array=8)
    first = cost_table(meter_of(accelerator, tmp_path), center, CHOICES, permitted, ALONE)
    again = cost_table(meter_of(accelerator, tmp_path), center, CHOICES, permitted, ALONE)
    for other in (first, again, record_to_table(table_to_record(table))):
        assert table_to_record(other) == table_to_record(table)


def test_the_image_in_fewer_bits_keeps_the_difference_of_the_base() -> None:
    meter, base = in_cascades()
    permitted = np.ones((LAYERS, len(CHOICES)), np.bool_)
    around = cost_table(meter, BitPolicy.parse("w8a8"), CHOICES, permitted, ALONE, base)
    column, own = CHOICES.index(LayerBits(8, 2)), CHOICES.index(LayerBits(8, 8))
    for resource in SUMMED:
        entries = base.change[resource][0]
        assert around.change[resource][0, column] == entries[column] - entries[own]
        assert around.change[resource][0, own] == 0


def test_a_choice_without_room_is_not_available() -> None:
    choices = (LayerBits(2, 2), LayerBits(16, 16))
    permitted = np.array([[True, layer > 0] for layer in range(LAYERS)])
    meter = meter_of(machine(sram_kib=2, array=8))
    table = cost_table(meter, BitPolicy.parse("w2a2/all"), choices, permitted, ALONE)
    assert table.available[:, 0].all()
    assert not table.available[:, 1].all()
    assert not table.is_right(np.full((1, LAYERS), 1)).any()
