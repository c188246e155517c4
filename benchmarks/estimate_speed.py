"""How long an estimate takes: a new network, the same again, and other bits in a fixed division.

Run: python -m benchmarks.estimate_speed
"""

import statistics
import time
from collections.abc import Callable

from accelerators import EnergyModel, load_accelerator, load_energy_table
from hwsim.estimation import Estimator
from quant.graph import Size
from quant.graph.widths import with_layer_bits
from tests.edsr_graphs import edsr_graph, edsr_layers

IMAGE = Size(180, 320)
ROUNDS = 7


def _median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1e3 * statistics.median(times)


def main() -> None:
    """Print processor times in milliseconds, medians of several rounds."""
    graph = edsr_graph(16, 64, 2, (8, 8), residual_bits=8)
    accelerator = load_accelerator("edge_npu")
    energy = EnergyModel(accelerator, load_energy_table(accelerator.energy_table))
    print(f"EDSR-baseline x2, {IMAGE.height} x {IMAGE.width}, {accelerator.name}; CPU ms, medians")
    cold = _median_ms(lambda: Estimator(accelerator, energy).cost(graph, IMAGE))
    print(f"a new network, schedule searched     {cold:9.2f}")
    estimator = Estimator(accelerator, energy)
    estimator.cost(graph, IMAGE)
    same = _median_ms(lambda: estimator.cost(graph, IMAGE))
    print(f"the same again                       {same:9.2f}")
    fixed = estimator.fixed(graph, IMAGE)
    layers = edsr_layers(16)[1:-1]
    changes = [
        with_layer_bits(graph, {layer: (bits, bits)}) for layer in layers for bits in (2, 4, 6)
    ]
    first = _once_ms(lambda: [fixed.cost(change) for change in changes]) / len(changes)
    again = _median_ms(lambda: [fixed.cost(change) for change in changes]) / len(changes)
    print(f"one layer's bits changed, first time {first:9.3f}")
    print(f"one layer's bits changed, met before {again:9.3f}")


def _once_ms(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start)


if __name__ == "__main__":
    main()
