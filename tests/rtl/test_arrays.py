"""The Verilog of every kind of array: integers of the reference, cycles of the closed form."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from accelerators.rtl.library import FOLDER, module_names, sources
from accelerators.rtl.parameters import array_module
from accelerators.schema import Array
from hwsim.arithmetic import reference
from hwsim.verify import Check
from hwsim.verify.rtl.array_design import array_design
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.outcome import Simulation
from hwsim.verify.rtl.tiles import Tile
from hwsim.verify.rtl.verilator import VerilatorSimulation
from quant.common.accumulators import Accumulator
from quant.common.errors import UserError
from tests.rtl.array_cases import (
    ARRAYS,
    Limits,
    array_of,
    codes_of_sums,
    compared,
    expected_codes,
    random_product,
    tile_of,
)
from tests.rtl.tools import ICARUS, VERILATOR, needs

KINDS = tuple(ARRAYS)
every_kind = pytest.mark.parametrize("kind", KINDS)


@cache
def verilated(kind: str) -> Simulation:
    return VerilatorSimulation(array_design(ARRAYS[kind]))


def tiles(count: int, seed: int, limits: Limits, rounding: str = "half_up") -> list[Tile]:
    random = np.random.default_rng(seed)
    products = [random_product(random, limits, rounding) for _ in range(count)]
    return [tile_of(each, expected_codes(each, rounding), rounding) for each in products]


def assert_equal(checks: list[Check], given: list[Tile], *, with_cycles: bool = True) -> None:
    found = [check.first_mismatch for check in checks if check.mismatches]
    assert not found, found[:5]
    codes = sum(tile.codes.size for tile in given)
    assert sum(check.values for check in checks) == codes + (len(given) if with_cycles else 0)


@needs(*VERILATOR)
@every_kind
def test_a_thousand_random_tiles(kind: str) -> None:
    given = tiles(1000, 1, Limits())
    assert len({code for tile in given for code in tile.codes.ravel().tolist()}) == 256
    assert_equal(compared(ARRAYS[kind], verilated(kind), given), given)


@needs(*VERILATOR)
@every_kind
def test_operands_that_come_late(kind: str) -> None:
    given = tiles(60, 2, Limits())
    assert_equal(
        compared(ARRAYS[kind], verilated(kind), given, stall_seed=7), given, with_cycles=False
    )


@needs(*ICARUS)
@every_kind
def test_random_tiles_in_a_simulator_with_unknown_values(kind: str) -> None:
    given = tiles(8, 3, Limits(pixels=9, channels=9, inputs=3, bits=9))
    simulation = IcarusSimulation(array_design(ARRAYS[kind]))
    assert_equal(compared(ARRAYS[kind], simulation, given), given)


_OTHER_ARRAYS = {
    "one row": array_of("output_stationary", rows=1, columns=3),
    "one column": array_of("weight_stationary", rows=3, columns=1, accumulator_entries=1),
    "one element": array_of("input_stationary", rows=1, columns=1),
    "narrow multipliers": array_of("output_stationary", rows=3, columns=2, weight_bits=3,
                                   activation_bits=5, lanes=3),
    "taps apart": array_of("activation_serial", rows=2, columns=3, weight_bits=5,
                           kernel_taps="apart"),
    "bricks of 4 x 2 bits": array_of("composable", rows=2, columns=2, weight_bits=4,
                                     activation_bits=2),
    "bricks of 2 x 2 bits": array_of("composable", rows=2, columns=2, weight_bits=2,
                                     activation_bits=2),
    "narrow shifts": array_of("shift_add", rows=2, columns=2, lanes=1, activation_bits=4),
}  # fmt: skip


@needs(*VERILATOR)
@pytest.mark.parametrize("array", _OTHER_ARRAYS.values(), ids=_OTHER_ARRAYS)
def test_arrays_of_other_sizes(array: Array) -> None:
    given = tiles(100, 4, Limits(pixels=8, channels=6))
    assert_equal(compared(array, VerilatorSimulation(array_design(array)), given), given)


@needs(*VERILATOR)
@pytest.mark.parametrize("overflow", ["wrap", "saturate_final"])
@pytest.mark.parametrize("kind", ["output_stationary", "weight_stationary"])
def test_accumulators_that_overflow(kind: str, overflow: str) -> None:
    sizes = {"rows": 3, "columns": 3, "weight_bits": 4, "activation_bits": 4}
    array = array_of(kind, **sizes, accumulator_bits=12, accumulator_overflow=overflow)
    accumulator = Accumulator(12, overflow)
    given, overflowed = [], 0
    for tile in tiles(100, 5, Limits(pixels=8, channels=6, bits=8)):
        product, bias = tile.product, tile.product.scales[:, 0]
        ifm, weight = (
            product.activations[:, np.newaxis],
            product.weights.T[:, np.newaxis, np.newaxis],
        )
        sums, overflows = reference.accumulate(ifm, weight, bias, accumulator)
        overflowed += overflows.count
        given.append(tile_of(product, codes_of_sums(product, sums[:, 0], "half_up")))
    assert overflowed > 100
    assert_equal(compared(array, VerilatorSimulation(array_design(array)), given), given)


@needs(*VERILATOR)
@pytest.mark.parametrize("rounding", ["half_even", "tflite_double", "nvdla"])
def test_requantizers_of_other_modes(rounding: str) -> None:
    array = array_of("output_stationary", rows=3, columns=2)
    simulation = VerilatorSimulation(array_design(array, rounding))
    given = []
    for tile in tiles(60, 6, Limits(pixels=6, channels=4, bits=8)):
        scales = tile.product.scales.copy()
        if rounding == "nvdla":  # multipliers of 16 bits, shifts of up to 31
            scales[:, 1] = np.maximum(scales[:, 1] >> 8, 1) % 2**15
            scales[:, 2] = np.clip(scales[:, 2] - 8, 0, 31)
        scales[:, 2] = np.maximum(scales[:, 2], 1)
        product = replace(tile.product, scales=scales)
        given.append(tile_of(product, expected_codes(product, rounding), rounding))
    assert_equal(compared(array, simulation, given), given)


def test_what_there_is_no_verilog_for() -> None:
    array = array_of("output_stationary", accumulator_overflow="saturate_step")
    refuse(
        lambda: array_module(array, "half_up"),
        "array.accumulator_overflow 'saturate_step' begins every sum with its bias, and there is "
        "no Verilog of elements that do; choose error, wrap or saturate_final",
    )
    refuse(
        lambda: array_module(ARRAYS["bit_serial"], "onednn"),
        "requantizer.rounding 'onednn' is defined in floating point and there is no Verilog of it; "
        "choose an integer mode such as half_up",
    )
    refuse(
        lambda: sources("output_arrays"),
        "no module 'output_arrays' in accelerators/rtl; did you mean 'output_array'?",
    )


def refuse(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(UserError) as raised:
        call()
    assert str(raised.value) == sentence


def test_every_file_is_of_the_module_it_is_named_after() -> None:
    for name in module_names():
        text = (FOLDER / f"{name}.v").read_text()
        assert text.count("\nendmodule") == 1
        assert f"\nmodule {name} #(" in text
        assert text.startswith("// ")
        assert sources(name)[-1].stem == name
