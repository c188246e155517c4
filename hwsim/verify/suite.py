"""Everything `hwsim verify` checks, as one list."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from accelerators import Accelerator, load_accelerator, resized
from hwsim.machine import KERNELS, REFERENCE
from hwsim.verify.checks import Check, Progress
from hwsim.verify.operators import VALUES_PER_OPERATOR, verify_operators
from hwsim.verify.random_operators import random_codes
from hwsim.verify.schedules import GRAPHS, verify_arithmetic, verify_graph, verify_schedules
from quant.graph import Graph, Size

NETWORK_IMAGE = Size(24, 40)
"""Size of the random image a network is run on: small, and of unequal sides."""

REFERENCE_IMAGE = Size(8, 8)
"""As `NETWORK_IMAGE`, where the slow reference computes every layer."""


def verification_accelerators() -> tuple[Accelerator, ...]:
    """The machines schedules are checked on.

    Both shipped ones, and a small array whose memory shrinks until little more than one tile of
    a layer fits.
    """
    tiny = load_accelerator("tiny_npu")
    return (
        load_accelerator("edge_npu"),
        tiny,
        resized(tiny, rows=8, columns=8),
        resized(tiny, rows=8, columns=8, sram_kib=8),
        resized(tiny, rows=8, columns=8, sram_kib=4),
    )


def verify(
    networks: Sequence[Graph] = (),
    accelerators: Sequence[Accelerator] | None = None,
    seed: int = 0,
    values: int = VALUES_PER_OPERATOR,
    graphs: int = GRAPHS,
    progress: Progress | None = None,
) -> list[Check]:
    """Check operators, schedules of random graphs, and whole networks.

    Args:
        networks: graphs to run on the first two accelerators with a random image, and layer by
            layer against the reference.
        accelerators: the machines; None takes `verification_accelerators`.
        seed: of everything random; the same seed gives the same checks.
        values: integers compared for each operator and mode, at least.
        graphs: random graphs on each accelerator.
        progress: called with parts done and parts in all.

    Returns:
        The checks, those that found a mismatch among them.

    Raises:
        ScheduleError: a network does not fit an accelerator.
    """
    machines = verification_accelerators() if accelerators is None else accelerators
    parts: list[Callable[[], list[Check]]] = [
        partial(verify_operators, seed, values),
        partial(verify_schedules, machines, seed, graphs),
    ]
    parts += [partial(_verify_network, network, machines, seed) for network in networks]
    checks: list[Check] = []
    for done, part in enumerate(parts, 1):
        checks += part()
        if progress is not None:
            progress(done, len(parts))
    return checks


def _verify_network(network: Graph, machines: Sequence[Accelerator], seed: int) -> list[Check]:
    random = np.random.default_rng(seed)
    tensor = network.input.output
    image = random_codes(random, NETWORK_IMAGE, tensor)
    small = image[: REFERENCE_IMAGE.height, : REFERENCE_IMAGE.width]
    checks = [verify_arithmetic(network, small, KERNELS, REFERENCE)]
    return checks + [verify_graph(network, machine, image) for machine in machines[:2]]
