import numpy as np
import pytest

from hwsim.search.confirmation import spread_points
from hwsim.search.measurement import Figures
from hwsim.search.resource import Resource
from quant.policy import LayerBits
from tests.unit.search.surveys import BASE, W2A8, W8A8, measurement, model_of

MODEL = model_of(
    {
        "head": (measurement(1.5, 900, 480), BASE),
        "body": (measurement(1.25, 800, 490), BASE),
        "tail": (None, BASE),
    }
)


def bits(head: LayerBits, body: LayerBits, tail: LayerBits) -> dict[str, LayerBits]:
    return {"head": head, "body": body, "tail": tail}


def test_predictions_add_one_entry_per_layer_to_the_base() -> None:
    assert MODEL.predict(bits(W2A8, W2A8, W8A8)) == Figures(1.75, 700, 470, 64, 32)
    assert MODEL.predict(bits(W8A8, W8A8, W8A8)) == Figures(1.0, 1000, 500, 64, 32)


def test_a_choice_without_an_entry_has_no_prediction() -> None:
    assert MODEL.predict(bits(W2A8, W8A8, W2A8)) is None
    assert MODEL.predict(bits(W2A8, W8A8, LayerBits(5, 5))) is None


def test_a_measured_gain_never_lowers_a_prediction() -> None:
    model = model_of({name: (measurement(0.25, 900), BASE) for name in ("head", "tail")})
    assert model.predict({"head": W2A8, "tail": W2A8}) == Figures(1.0, 800, 500, 64, 32)


@pytest.mark.parametrize("resource", Resource)
def test_points_of_the_front_are_what_their_bits_predict(resource: Resource) -> None:
    front = MODEL.front(resource)
    for point in range(len(front)):
        predicted = MODEL.predict(front.bits(point))
        assert predicted is not None
        assert predicted.cost(resource) == front.costs[point]
        assert round(predicted.mse * 1e9) == front.errors[point]


def test_the_front_avoids_what_does_not_fit_and_what_is_dominated() -> None:
    front = MODEL.front(Resource.ENERGY)
    # Head alone at 2 bits is dominated: body alone is cheaper and better.
    np.testing.assert_array_equal(front.costs, [700, 800, 1000])
    assert [str(chosen) for chosen in front.bits(1).values()] == ["w8a8", "w2a8", "w8a8"]


def test_a_spread_has_both_ends_and_even_steps_of_decibels() -> None:
    # Errors double from layer to layer, so that the front's decibels are close to even steps.
    changed = {f"layer{n}": (measurement(1.0 + 2.0**n, 1000 - 3**n), BASE) for n in range(8)}
    front = model_of(changed).front(Resource.ENERGY)
    spread = spread_points(front, 5)
    decibels = 10 * np.log10(front.errors[spread])
    assert spread[0] == 0
    assert spread[-1] == len(front) - 1
    np.testing.assert_allclose(np.diff(decibels), np.diff(decibels).mean(), atol=1.0)


def test_a_spread_of_a_short_front_names_each_point_once() -> None:
    assert spread_points(MODEL.front(Resource.ENERGY), 10) == [0, 1, 2]
