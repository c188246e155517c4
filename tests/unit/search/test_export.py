import json
from pathlib import Path

import numpy as np

from hwsim.search.confirmation import Origin, Point
from hwsim.search.export import cost_cube, policy_tables, widths_of
from hwsim.search.resource import Resource
from quant.policy import BitPolicy, LayerBits
from tests.unit.search.surveys import BASE, measurement, model_of

CHOICES = tuple(map(LayerBits.parse, ("w8a8", "w2a8", "w2a4")))
MODEL = model_of(
    {
        "head": (BASE, measurement(2.0, 900, 480, 60, 24), None),
        "tail": (BASE, measurement(2.0, 800, 490, 62, 28), measurement(3.0, 700, 470, 58, 20)),
    },
    CHOICES,
)


def test_a_cost_table_is_indexed_by_layer_and_both_widths() -> None:
    assert widths_of(MODEL) == ([2, 8], [4, 8])
    cycles = cost_cube(MODEL, Resource.LATENCY)
    np.testing.assert_array_equal(cycles, [[[np.nan, -20], [np.nan, 0]], [[-30, -10], [np.nan, 0]]])
    sram = cost_cube(MODEL, Resource.SRAM)
    np.testing.assert_array_equal(sram, [[[np.nan, 24], [np.nan, 32]], [[20, 28], [np.nan, 32]]])
    energy_uj = cost_cube(MODEL, Resource.ENERGY)
    np.testing.assert_allclose(energy_uj[1, 0], [-300e-9, -200e-9])


def test_policies_are_rows_of_layer_and_both_widths() -> None:
    bits = {"head": LayerBits(8, 8), "tail": LayerBits(2, 4)}
    policy = BitPolicy.parse("w8a8/all").with_layer("tail", LayerBits(2, 4))
    point = Point(Origin.FRONT, "front 1 of 2", policy, bits, None, BASE)
    assert json.loads(policy_tables([point])) == [
        {
            "label": "front 1 of 2",
            "residual_bits": 12,
            "bits": [["head", 8, 8], ["tail", 2, 4]],
        }
    ]


def test_a_cost_table_adds_up_to_predictions(tmp_path: Path) -> None:
    bits = {"head": LayerBits(2, 8), "tail": LayerBits(2, 4)}
    predicted = MODEL.predict(bits)
    assert predicted is not None
    np.save(tmp_path / "table.npy", cost_cube(MODEL, Resource.LATENCY))
    table = np.load(tmp_path / "table.npy", allow_pickle=False)
    assert BASE.cycles + table[0, 0, 1] + table[1, 0, 0] == predicted.cycles
