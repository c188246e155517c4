"""Whole networks of ours, run by the engines whose convention they are in."""

from typing import Any

import numpy as np
import pytest

from hwsim.machine import KERNELS
from hwsim.verify.oracles.network_suite import NETWORK_PAIRS, NetworkPair, verify_networks
from quant.graph import Add, Size

PACKAGES = {"litert": "ai_edge_litert", "onnx_runtime": "onnxruntime"}
SMALL = {"blocks": 2, "channels": 16, "image": Size(20, 28)}

by_pair = pytest.mark.parametrize(
    "pair", NETWORK_PAIRS, ids=lambda pair: f"{pair.mode} = {pair.oracle}".replace(" ", "_")
)


def need(pair: NetworkPair) -> None:
    package = PACKAGES[pair.module]
    pytest.importorskip(package, reason=f"{pair.oracle} needs {package}, of the extra [verify]")


@by_pair
def test_a_small_edsr_equals_its_engine(pair: NetworkPair) -> None:
    need(pair)
    found = verify_networks(**SMALL, pairs=[pair])
    (check,) = found.checks
    assert (check.values, check.mismatches, check.first_mismatch) == (6720, 0, None)


@pytest.mark.slow
@by_pair
def test_edsr_baseline_equals_its_engine(pair: NetworkPair) -> None:
    need(pair)
    (check,) = verify_networks(pairs=[pair]).checks
    assert (check.values, check.mismatches, check.first_mismatch) == (147_456, 0, None)


@by_pair
def test_a_difference_is_located(pair: NetworkPair) -> None:
    """One wrong kernel result in the middle, and the node that made it is named."""
    need(pair)

    def wrong(*arguments: Any) -> Any:
        codes = np.array(KERNELS.operators[Add](*arguments))
        codes[3, 4, 5] ^= 1
        return codes

    arithmetic = KERNELS.replacing(Add, wrong)
    (check,) = verify_networks(**SMALL, pairs=[pair], arithmetic=arithmetic).checks
    assert check.mismatches > 0
    assert check.first_mismatch is not None
    assert check.first_mismatch.startswith(
        "edsr_random_2x16_x2: node 'block0.add', row 3, column 4, channel 5: found "
    )
