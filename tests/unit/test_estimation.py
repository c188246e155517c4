"""The estimator that remembers, against the plain estimate."""

from hwsim.estimation import Estimator
from hwsim.simulation import estimate
from quant.graph import Size
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.machines import machine, prices


def test_it_gives_the_figures_of_a_fresh_estimate() -> None:
    accelerator = machine(16)
    energy = prices(accelerator)
    estimator = Estimator(accelerator, energy)
    for image in (Size(9, 14), Size(12, 5)):
        for changed in (None, *edsr_layers(1)):
            bits = dict.fromkeys(edsr_layers(1), (8, 8))
            if changed is not None:
                bits[changed] = (4, 3)
            graph = edsr_graph(blocks=1, channels=12, bits=bits)
            remembered = estimator.cost(graph, image)
            assert remembered == estimate(graph, accelerator, energy, image).cost


def test_one_layer_more_prices_only_what_changed() -> None:
    accelerator = machine(8, fusion=False)  # a cascade is priced whole, however little changed
    estimator = Estimator(accelerator, prices(accelerator))
    layers = edsr_layers(4)
    estimator.cost(edsr_graph(4, bits=dict.fromkeys(layers, (8, 8))), Size(8, 8))
    known = len(estimator._costs)
    bits = dict.fromkeys(layers, (8, 8)) | {"block2.conv1": (4, 4)}
    estimator.cost(edsr_graph(4, bits=bits), Size(8, 8))
    # The layer itself, and the group before it, which writes the layer's input.
    assert len(estimator._costs) == known + 2
