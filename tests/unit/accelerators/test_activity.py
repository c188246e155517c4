"""The toggle model: how far it is from what it was calibrated on, and from another netlist."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators.activity import (
    HELD_TOGGLES,
    Operand,
    data_pj,
    require_covered,
    toggle_ratio,
)
from accelerators.catalog import load_datapath_factors
from accelerators.mac_energy import MacParts
from quant.common.errors import UserError
from tests.unit.accelerators.array_multiplier import Integers, toggles_per_operation

PAGE = (Path(__file__).parents[3] / "docs" / "activity.md").read_text(encoding="utf-8")
RANDOM = np.random.default_rng(0)
SAMPLES = 20_000
Draw = Callable[[], Integers]


def normal(deviation: float) -> Draw:
    return lambda: np.clip(np.rint(RANDOM.normal(0, deviation, SAMPLES)), -128, 127).astype(int)


def uniform() -> Integers:
    return RANDOM.integers(-128, 128, SAMPLES)


def magnitude(draw: Draw) -> Draw:
    return lambda: np.abs(draw())


def rectified(draw: Draw) -> Draw:
    return lambda: np.maximum(draw(), 0)


def operand(codes: Integers) -> Operand:
    changed = ((codes[1:] ^ codes[:-1]) & 255).astype(np.uint8)
    hamming = float(np.unpackbits(changed).sum()) / len(changed)
    return Operand(8, hamming, float(np.mean(codes != 0)))


CALIBRATION: dict[str, tuple[Draw, Draw, int]] = {
    "uniform": (uniform, uniform, 143),
    "normal, deviation 32": (normal(32), normal(32), 141),
    "normal, deviation 8": (normal(8), normal(8), 135),
    "normal, deviation 2": (normal(2), normal(2), 118),
    "magnitude of normal 8, times normal 8": (magnitude(normal(8)), normal(8), 91),
    "half zeros, not negative": (rectified(normal(32)), normal(32), 76),
}
"""Activations, weights, and toggles per operation that were measured."""


@pytest.mark.parametrize("name", CALIBRATION)
def test_the_residuals_of_the_fit(name: str) -> None:
    activations, weights, toggles = CALIBRATION[name]
    ratio = toggle_ratio("output_stationary", operand(weights()), operand(activations()))
    residual = 100 * (ratio / (toggles / 143) - 1)
    (told,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
    assert residual == pytest.approx(float(told.split("|")[-2].replace("−", "-")), abs=1.2)
    assert abs(residual) < 3


@pytest.mark.parametrize(
    ("kind", "total_pj", "static_pj", "toggles", "uniform_toggles", "measured_pj", "residual"),
    [
        ("output_stationary", 3.442, 0.37, 116, 143, 3.22, -11),
        ("output_stationary", 3.442, 0.37, 93, 143, 2.06, 15),
        ("output_stationary", 3.442, 0.37, 147, 143, 3.53, 0),
        ("weight_stationary", 3.028, 0.4734, 25, 118, 0.91, 11),
        ("weight_stationary", 3.028, 0.4734, 90, 118, 2.36, 3),
    ],
)
def test_the_residuals_of_energies(
    kind: str,
    total_pj: float,
    static_pj: float,
    toggles: int,
    uniform_toggles: int,
    measured_pj: float,
    residual: int,
) -> None:
    study = load_datapath_factors("nangate45")
    energy = study.of(kind)
    assert energy.at_pj(8, 8) == pytest.approx(total_pj, abs=1e-3)
    assert study.static_relative(kind, 8, 8) == pytest.approx(static_pj / energy.reference_pj)
    found_pj = data_pj(MacParts(total_pj, static_pj), toggles / uniform_toggles)
    assert round(100 * (found_pj / measured_pj - 1)) == residual
    shown = f"{residual}".replace("-", "−")
    assert f"| {toggles} | {measured_pj:.2f} | {found_pj:.2f} | {shown} |" in PAGE


@pytest.mark.parametrize(
    ("activations", "percent"),
    [
        (rectified(normal(8)), 26),
        (rectified(normal(32)), 14),
        (rectified(uniform), 6),
        (magnitude(normal(8)), 22),
        (normal(8), 11),
    ],
)
def test_another_netlist_toggles_alike(activations: Draw, percent: int) -> None:
    base = toggles_per_operation(uniform(), uniform())
    weights, codes = normal(8)(), activations()
    found = toggles_per_operation(weights, codes) / base
    ratio = toggle_ratio("output_stationary", operand(weights), operand(codes))
    assert abs(ratio / found - 1) < percent / 100


def test_a_held_operand_toggles_less_on_another_netlist_too() -> None:
    held = np.repeat(RANDOM.integers(-128, 128, SAMPLES // 500), 500)
    found = toggles_per_operation(held, uniform()) / toggles_per_operation(uniform(), uniform())
    assert found == pytest.approx(HELD_TOGGLES, rel=0.06)


@pytest.mark.parametrize("kind", ["output_stationary", "weight_stationary", "input_stationary"])
@given(bits=st.integers(1, 16))
def test_uniform_data_cost_the_price(kind: str, bits: int) -> None:
    random = Operand(bits, bits / 2, 1 - 2.0**-bits)
    assert toggle_ratio(kind, random, random) == pytest.approx(1)
    assert data_pj(MacParts(2.0, 0.5), 1.0) == 2.0


def test_a_held_operand_does_not_count() -> None:
    moving, still = Operand(8, 2.0, 1.0), Operand(8, 0.0, 1.0)
    assert toggle_ratio("weight_stationary", still, moving) == pytest.approx(
        toggle_ratio("input_stationary", moving, still)
    )
    assert toggle_ratio("output_stationary", still, moving) == 0
    assert data_pj(MacParts(2.0, 0.5), 0.0) == 0.5


@given(hamming=st.floats(0, 8), more=st.floats(0, 4), rate=st.floats(0, 1), greater=st.floats(0, 1))
def test_more_switching_never_costs_less(
    hamming: float, more: float, rate: float, greater: float
) -> None:
    weight = Operand(8, 4.0, 1.0)
    low = toggle_ratio("output_stationary", weight, Operand(8, hamming, rate))
    rates = max(rate, greater)
    high = toggle_ratio("output_stationary", weight, Operand(8, hamming + more, rates))
    assert high >= low >= 0


def test_other_datapaths_are_refused() -> None:
    require_covered("weight_stationary", "mine")
    with pytest.raises(UserError) as caught:
        require_covered("bit_serial", "mine")
    assert str(caught.value) == (
        "measured energy: accelerator 'mine' has the datapath 'bit_serial', but the toggle model "
        "covers output_stationary, weight_stationary, input_stationary; leave out "
        "--energy-activity"
    )
