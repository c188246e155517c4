"""Faults planted in the Verilog of arrays, one at a time: a few random products find each."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hwsim.verify import Check
from hwsim.verify.rtl.array_design import array_design
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.tiles import Tile
from tests.rtl.array_cases import (
    Limits,
    array_of,
    compared,
    expected_codes,
    random_product,
    tile_of,
)
from tests.rtl.tools import ICARUS, needs


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of a module that says something else.

    Attributes:
        kind: of the array it is planted in.
        module: the file.
        right: what is there, once.
        wrong: what takes its place.
    """

    kind: str
    module: str
    right: str
    wrong: str


FAULTS = {
    "drain registers that all move": Fault(
        "output_stationary", "drain_controller", "remaining > ROWS - row", "leaving"
    ),
    "drain that is not waited for": Fault(
        "output_stationary", "output_sequencer", "wait_for_drain <= ROWS - 1", "wait_for_drain <= 0"
    ),
    "drain that is waited for a cycle too long": Fault(
        "output_stationary",
        "output_sequencer",
        "wait_for_drain <= ROWS - 1",
        "wait_for_drain <= ROWS",
    ),
    "sums that never begin": Fault(
        "output_stationary", "output_element", "first ? {SUM_BITS{1'b0}} : sum", "sum"
    ),
    "a narrow accumulator": Fault(
        "output_stationary",
        "output_element",
        "reg signed [SUM_BITS-1:0] sum",
        "reg signed [11:0] sum",
    ),
    "unsigned weights": Fault(
        "output_stationary",
        "lane_product",
        "weight_signed & weight[WEIGHT_BITS-1]",
        "1'b0",
    ),
    "a wider operand's slices all in one place": Fault(
        "output_stationary", "accumulator_step", "whole <<< place", "whole"
    ),
    "an operand that is not held for its slices": Fault(
        "output_stationary", "held_operands", "take ? stream : held", "stream"
    ),
    "skew a cycle short": Fault(
        "output_stationary", "skew", ".CYCLES(element)", ".CYCLES(element / 2)"
    ),
    "scales of the first block for all": Fault(
        "output_stationary", "block_counter", "block + 1'b1", "block"
    ),
    "a requantizer with one more stage": Fault(
        "output_stationary",
        "drain_controller",
        "assign leaving = remaining != 0",
        "reg late; always @(posedge clock) late <= remaining != 0; assign leaving = late",
    ),
    "a sign bit that adds": Fault(
        "activation_serial", "accumulator_step", "sum_in - placed", "sum_in + placed"
    ),
    "both sign bits, subtracted twice": Fault(
        "bit_serial", "output_sequencer", "\n      ^ (ACTIVATION", "\n      | (ACTIVATION"
    ),
    "lanes that hide each other": Fault("bit_serial", "sum_of", "total + term", "total | term"),
    "lanes for one-bit weights left out": Fault(
        "weight_serial", "sum_of", "each < COUNT", "each < COUNT - 1"
    ),
    "terms that are all positive": Fault(
        "shift_add", "lane_product", "negative ? -shifted : shifted", "shifted"
    ),
    "sign of the activation lost": Fault(
        "shift_add", "lane_product", "activation_signed & activation[ACTIVATION_BITS-1]", "1'b0"
    ),
    "held operands that stop at every row": Fault(
        "weight_stationary", "stationary_element", "held_row_in == {row, 1'b1}", "held_row_in[0]"
    ),
    "a load that overtakes its fold": Fault(
        "weight_stationary", "held_loader", "held_valid & (~waits | fold_begins)", "held_valid"
    ),
    "a load that begins a cycle late": Fault(
        "weight_stationary", "held_loader", "(~waits | fold_begins)", "~waits"
    ),
    "next weights used before their fold": Fault(
        "weight_stationary", "stationary_element", "first ? waiting : in_use", "waiting"
    ),
    "accumulators that never begin": Fault(
        "weight_stationary", "column_accumulator", "first ? {SUM_BITS{1'b0}} : kept", "kept"
    ),
    "accumulators that begin with every part": Fault(
        "weight_stationary",
        "stationary_sequencer",
        "turn == 0 & load == 0 & first_pair",
        "first_pair",
    ),
    "sums down a column without carries": Fault(
        "weight_stationary", "stationary_array", "PRODUCT_BITS + $clog2(ROWS)", "PRODUCT_BITS - 2"
    ),
    "scales of the block for every channel": Fault(
        "input_stationary",
        "stationary_sequencer",
        "SCALE_BY_STREAM != 0 ? position : block",
        "block",
    ),
    "the same chunk again": Fault(
        "input_stationary",
        "stationary_sequencer",
        "stream_ends ? 0 : position + 1'b1;\n      end",
        "chunk_start;\n      end",
    ),
    "bricks without sign": Fault(
        "composable", "fusion_brick", "weights_signed & (|weight_tops)", "1'b0 & (|weight_tops)"
    ),
    "every brick with sign": Fault(
        "composable", "fusion_brick", "weights_signed & (|weight_tops)", "weights_signed"
    ),
    "bricks joined half as far": Fault(
        "composable", "fusion_unit", "wide <<< (2 << STEP)", "wide <<< (1 << STEP)"
    ),
    "bricks always joined": Fault(
        "composable", "fusion_unit", "joined ? wide <<<", "1'b1 ? wide <<<"
    ),
    "slices of the first operand alone": Fault(
        "composable", "field_slices", "(field<<wide)*NATIVE_BITS", "0"
    ),
}

ARRAYS = {
    kind: array_of(kind, **{"rows": 3, "columns": 2, **changes})
    for kind, changes in {
        "output_stationary": {},
        "activation_serial": {},
        "weight_serial": {"lanes": 1, "lanes_at_one_bit": 2},
        "bit_serial": {"lanes": 2},
        "shift_add": {"lanes": 1},
        "weight_stationary": {"accumulator_entries": 3},
        "input_stationary": {"accumulator_entries": 3},
        "composable": {"accumulator_entries": 3, "rows": 2},
    }.items()
}  # fmt: skip


@cache
def tiles() -> list[Tile]:
    random = np.random.default_rng(11)
    limits = Limits(pixels=8, channels=5, inputs=3)
    products = [random_product(random, limits, "half_up") for _ in range(14)]
    # Some of one bit, and some without sums: fewer operands than rows, one after the other.
    products += [
        random_product(random, replace(limits, bits=bits), "half_up") for bits in (1, 1, 1, 2, 3)
    ]
    products += [random_product(random, replace(limits, inputs=1), "half_up") for _ in range(3)]
    return [tile_of(product, expected_codes(product)) for product in products]


def mismatches(kind: str, folder: Path, fault: Fault | None = None) -> list[Check]:
    design = array_design(ARRAYS[kind])
    if fault is not None:
        design = replace(
            design, sources=tuple(with_fault(p, folder, fault) for p in design.sources)
        )
    checks = compared(ARRAYS[kind], IcarusSimulation(design), tiles())
    return [check for check in checks if check.mismatches]


def with_fault(source: Path, folder: Path, fault: Fault) -> Path:
    if source.stem != fault.module:
        return source
    text = source.read_text()
    assert text.count(fault.right) == 1
    changed = folder / source.name
    changed.write_text(text.replace(fault.right, fault.wrong))
    return changed


@needs(*ICARUS)
@pytest.mark.parametrize("kind", ARRAYS)
def test_without_a_fault_nothing_is_found(kind: str, tmp_path: Path) -> None:
    assert not mismatches(kind, tmp_path)


@needs(*ICARUS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults_are_found(fault: Fault, tmp_path: Path) -> None:
    found = mismatches(fault.kind, tmp_path, fault)
    assert found
    assert found[0].first_mismatch
