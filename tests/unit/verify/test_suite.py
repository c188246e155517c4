import numpy as np

from hwsim.machine import KERNELS, REFERENCE
from hwsim.verify import verification_accelerators, verify
from hwsim.verify.operators import OPERATOR_CHECKS
from tests.edsr_graphs import edsr_graph
from tests.machines import machine

NETWORK = edsr_graph(blocks=1)


def test_operators_schedules_and_networks_are_checked() -> None:
    machines = [machine(), machine(sram_kib=16, array=8)]
    calls: list[tuple[int, int]] = []
    checks = verify(
        [NETWORK],
        machines,
        values=1000,
        graphs=2,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert [check.mismatches for check in checks] == [0] * len(checks)
    found = [(check.subject, check.oracle, check.mode) for check in checks]
    assert ("convolution", REFERENCE.name, "odd weights") in found
    for accelerator in machines:
        assert ("schedules of random graphs", KERNELS.name, accelerator.name) in found
        assert (NETWORK.name, KERNELS.name, accelerator.name) in found
    assert (NETWORK.name, REFERENCE.name, KERNELS.name) in found
    steps = OPERATOR_CHECKS + 2 * 2 + 1 + 2
    assert calls == [(done, steps) for done in range(1, steps + 1)]


def test_every_check_compares_something() -> None:
    checks = verify([NETWORK], values=1, graphs=3)
    assert all(check.cases > 0 and check.values > 0 for check in checks)
    assert len({check.mode for check in checks if "random graphs" in check.subject}) == 6


def test_the_machines_get_smaller() -> None:
    sizes = [accelerator.sram.size_kib for accelerator in verification_accelerators()]
    assert sizes == sorted(sizes, reverse=True)
    assert np.all(np.array(sizes) > 0)
