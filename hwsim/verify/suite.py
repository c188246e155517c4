"""Everything `hwsim verify` checks, as one list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from accelerators import Accelerator, load_accelerator, resized
from hwsim.machine import KERNELS, REFERENCE
from hwsim.verify.checks import Check, Progress
from hwsim.verify.operators import OPERATOR_CHECKS, VALUES_PER_OPERATOR, verify_operators
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
    a layer fits, once with accumulators that overflow.
    """
    tiny = load_accelerator("tiny_npu")
    return (
        load_accelerator("edge_npu"),
        tiny,
        resized(tiny, rows=8, columns=8),
        resized(tiny, rows=8, columns=8, sram_kib=8),
        resized(
            tiny,
            rows=8,
            columns=8,
            sram_kib=8,
            accumulator_bits=16,
            accumulator_overflow="saturate_step",
        ),
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
        progress: called with steps done and steps in all.

    Returns:
        The checks, those that found a mismatch among them.

    Raises:
        ScheduleError: a network does not fit an accelerator.
    """
    machines = verification_accelerators() if accelerators is None else accelerators
    parts = [
        _Part(OPERATOR_CHECKS, lambda part: verify_operators(seed, values, progress=part)),
        _Part(len(machines) * graphs, lambda part: verify_schedules(machines, seed, graphs, part)),
    ]
    parts += [_network_part(network, machines[:2], seed) for network in networks]
    total = sum(part.steps for part in parts)
    checks: list[Check] = []
    before = 0
    for part in parts:
        checks += part.run(_from(before, total, progress))
        before += part.steps
    return checks


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the checks: in how many steps they come, and how to run them."""

    steps: int
    run: Callable[[Progress], list[Check]]


def _from(before: int, total: int, progress: Progress | None) -> Progress:
    """Progress of a part, told as progress of the whole."""

    def tell(done: int, _: int) -> None:
        if progress is not None:
            progress(before + done, total)

    return tell


def _network_part(network: Graph, machines: Sequence[Accelerator], seed: int) -> _Part:
    random = np.random.default_rng(seed)
    image = random_codes(random, NETWORK_IMAGE, network.input.output)
    small = image[: REFERENCE_IMAGE.height, : REFERENCE_IMAGE.width]
    checks: list[Callable[[], Check]] = [
        lambda: verify_arithmetic(network, small, KERNELS, REFERENCE)
    ]
    checks += [partial(verify_graph, network, machine, image) for machine in machines]

    def run(progress: Progress) -> list[Check]:
        found = []
        for check in checks:
            found.append(check())
            progress(len(found), len(checks))
        return found

    return _Part(len(checks), run)
