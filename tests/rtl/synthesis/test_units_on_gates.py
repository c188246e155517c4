"""Every unit that is calibrated, on gates: the integers it must make, whatever it is fed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accelerators.synthesis.measurement import SynthesizedUnit
from accelerators.synthesis.output_units import OUTPUT_KINDS, output_trial, output_unit
from accelerators.synthesis.products import Product, random_products
from accelerators.synthesis.scale_units import random_sums, requantizer_trial, requantizer_unit
from accelerators.synthesis.stationary_units import (
    STATIONARY_KINDS,
    stationary_trial,
    stationary_unit,
)
from accelerators.synthesis.unit import TOP, Unit
from accelerators.synthesis.yosys import Design, synthesize
from quant.common.errors import UserError
from tests.rtl.synthesis.gates import needs_synthesis, osu018

pytestmark = needs_synthesis

PIXELS = 64
OF_KIND = {"composable": (4, 2), "shift_add": (3, 4)}


def synthesized(unit: Unit, folder: Path) -> SynthesizedUnit:
    return SynthesizedUnit(synthesize(unit.design, osu018(), folder).json, osu018())


def unsigned(product: Product) -> Product:
    """The same with activations from 0 on."""
    lowest = -(1 << product.activation_bits - 1)
    return replace(product, activations=product.activations - lowest, is_signed=False)


def terms(product: Product) -> Product:
    """Weights that are signed powers of two, and some that are none."""
    generator = np.random.default_rng(0)
    largest = 1 << product.weight_bits - 1
    weights = generator.integers(-largest, largest + 1, product.weights.shape)
    return replace(product, weights=weights)


@pytest.mark.parametrize("kind", [*OUTPUT_KINDS, *STATIONARY_KINDS])
def test_processing_elements(kind: str, tmp_path: Path) -> None:
    """Streams of signed and of unsigned activations at once."""
    widths = OF_KIND.get(kind, (3, 4))
    is_output = kind in OUTPUT_KINDS
    element = synthesized((output_unit if is_output else stationary_unit)(kind, *widths), tmp_path)
    (product,) = random_products(*widths)
    product = terms(product) if kind == "shift_add" else product
    product = replace(product, activations=product.activations[:PIXELS])
    both = (product, unsigned(product))
    energy = element.measure((output_trial if is_output else stationary_trial)(kind, both))
    assert 0 < energy.clock_pj < energy.settled_pj < energy.delayed_pj
    assert energy.settled_pj < energy.calibrated_pj < energy.unit_pj


def test_a_requantizer(tmp_path: Path) -> None:
    unit = synthesized(requantizer_unit(12, 6), tmp_path)
    assert unit.measure(requantizer_trial(random_sums(12, 6))).settled_pj > 0
    hardware = unit.hardware
    assert hardware.area_ge == pytest.approx(hardware.area / 24)  # of its NAND2X1
    assert hardware.clock_pj == pytest.approx(0.2077 * hardware.flip_flops, rel=1e-3)


def test_a_gate_that_is_another_is_found(tmp_path: Path) -> None:
    """The first NAND becomes a NOR."""
    unit = output_unit("output_stationary", 2, 2)
    path = synthesize(unit.design, osu018(), tmp_path).json
    netlist = json.loads(path.read_text())
    cells = netlist["modules"][TOP]["cells"].values()
    next(cell for cell in cells if cell["type"] == "NAND2X1")["type"] = "NOR2X1"
    path.write_text(json.dumps(netlist))
    trial = output_trial("output_stationary", random_products(2, 2))
    with pytest.raises(UserError, match=r"the netlist computes \d+ integers otherwise"):
        SynthesizedUnit(path, osu018()).measure(trial)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("module other; endmodule", "Module `unit' not found"),
        ("module unit(input a output b); endmodule", "syntax error"),
        ("module unit(input a); missing it(a); endmodule", "missing"),
    ],
)
def test_verilog_that_is_refused(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"yosys refuses the module 'unit': .*{why}"):
        synthesize(Design(TOP, (), text), osu018(), tmp_path)
