"""The output-stationary array's formulas against a stepped model, RTL results and each other."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelerators.datapaths.output_stationary import (
    convolution_cycles,
    precision_passes,
    scattered_feed_cycles,
    slices,
    sram_reads,
    utilization,
)
from accelerators.schema import Array
from quant.common.errors import UserError
from tests.unit.accelerators.stepped_array import SteppedArray

BITS = st.integers(1, 16)
SIZES = st.integers(1, 200)


def array(rows: int, columns: int, native_bits: int = 8) -> Array:
    return Array(
        rows=rows,
        columns=columns,
        dataflow="output_stationary",
        weight_bits=native_bits,
        activation_bits=native_bits,
        accumulator_bits=40,
    )


def stepped(rows: int, columns: int, operands: int, tiles: int, interval: int) -> tuple[int, bool]:
    """Cycles of the stepped model, and whether every product came out right."""
    generator = np.random.default_rng(0)
    data = [
        (
            generator.integers(-128, 128, (rows, operands)),
            generator.integers(-128, 128, (operands, columns)),
        )
        for _ in range(tiles)
    ]
    machine = SteppedArray(rows, columns)
    cycles = machine.run(data, interval)
    products = [activations @ weights for activations, weights in data]
    expected = [
        [int(product[row, column]) for product in products for row in reversed(range(rows))]
        for column in range(columns)
    ]
    return cycles, machine.drained == expected


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(1, 5),
    columns=st.integers(1, 5),
    operands=st.integers(1, 12),
    tiles=st.integers(1, 4),
)
def test_the_cycle_formula_is_the_stepped_array(
    rows: int, columns: int, operands: int, tiles: int
) -> None:
    cycles, correct = stepped(rows, columns, operands, tiles, max(operands, rows))
    assert correct
    assert cycles == convolution_cycles(array(rows, columns), rows * tiles, columns, operands, 8, 8)


def test_tiles_cannot_follow_faster_than_their_rows_drain() -> None:
    assert stepped(4, 3, 3, 2, interval=4)[1]
    assert not stepped(4, 3, 3, 2, interval=3)[1]


@pytest.mark.parametrize(("size", "cycles"), [(8, 1_327_128), (32, 83_040)])
def test_cycles_of_the_rtl(size: int, cycles: int) -> None:
    assert convolution_cycles(array(size, size), 2304, 64, 576, 8, 8) == cycles


def test_the_documented_rtl_cycles_are_the_tested_ones() -> None:
    page = Path(__file__).parents[3] / "docs/datapaths/output_stationary.md"
    assert "1,327,128 cycles on 8 x 8, 83,040 on 32 x 32" in page.read_text().replace("\n", " ")


def test_edges_fill_whole_tiles() -> None:
    machine = array(16, 8)
    assert convolution_cycles(machine, 17, 9, 5, 8, 8) == convolution_cycles(
        machine, 32, 16, 5, 8, 8
    )


@pytest.mark.parametrize(
    ("bits", "native_bits", "expected"),
    [(8, 8, (8,)), (3, 8, (3,)), (9, 8, (8, 1)), (16, 8, (8, 8)), (16, 5, (5, 5, 5, 1))],
)
def test_slices(bits: int, native_bits: int, expected: tuple[int, ...]) -> None:
    assert slices(bits, native_bits) == expected


@pytest.mark.parametrize("bits", [0, 17, -1])
def test_operand_widths_outside_the_array_are_refused(bits: int) -> None:
    with pytest.raises(UserError, match=f"^expected an operand of 1 to 16 bits, got {bits}; "):
        precision_passes(array(4, 4), bits, 8)


def test_passes_multiply_the_operands() -> None:
    machine = array(8, 8)
    assert [precision_passes(machine, w, a) for w, a in ((8, 8), (4, 4), (9, 8), (16, 16))] == [
        1,
        1,
        2,
        4,
    ]
    assert convolution_cycles(machine, 8, 8, 10, 16, 9) == convolution_cycles(
        machine, 8, 8, 40, 8, 8
    )


def test_sram_reads_are_scale_sims_counts_packed_to_words() -> None:
    # 100 pixels, 70 channels, 9 products on 32 x 32: 3 channel folds, 4 pixel folds
    reads = sram_reads(array(32, 32), 100, 70, 9, 4, 6, 128)
    assert reads.activation_words == -(-100 * 9 * 3 * 6 // 128)
    assert reads.weight_words == -(-70 * 9 * 4 * 4 // 128)
    assert reads == (127, 79)


def test_utilization_is_one_when_every_element_works_every_cycle() -> None:
    assert utilization(array(4, 8), macs=4 * 8 * 100, cycles=100) == 1.0
    assert utilization(array(4, 8), macs=16, cycles=100) == 0.005


@given(
    pixels=SIZES,
    channels=SIZES,
    reduction=SIZES,
    weight_bits=BITS,
    activation_bits=BITS,
    native_bits=st.sampled_from([1, 4, 5, 8, 16]),
)
def test_more_bits_never_cost_less(
    pixels: int,
    channels: int,
    reduction: int,
    weight_bits: int,
    activation_bits: int,
    native_bits: int,
) -> None:
    machine = array(8, 16, native_bits)

    def costs(w: int, a: int) -> tuple[int, int, int]:
        cycles = convolution_cycles(machine, pixels, channels, reduction, w, a)
        return (cycles, *sram_reads(machine, pixels, channels, reduction, w, a, 64))

    here = costs(weight_bits, activation_bits)
    for wider in (
        costs(min(weight_bits + 1, 16), activation_bits),
        costs(weight_bits, min(activation_bits + 1, 16)),
    ):
        assert all(more >= less for more, less in zip(wider, here, strict=True))


@given(pixels=SIZES, channels=SIZES, reduction=SIZES, weight_bits=BITS, activation_bits=BITS)
def test_the_array_never_does_more_than_its_peak(
    pixels: int, channels: int, reduction: int, weight_bits: int, activation_bits: int
) -> None:
    machine = array(8, 16)
    cycles = convolution_cycles(machine, pixels, channels, reduction, weight_bits, activation_bits)
    passes = precision_passes(machine, weight_bits, activation_bits)
    share = utilization(machine, pixels * channels * reduction, cycles)
    assert 0 < share < 1 / passes


@settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(1, 5),
    columns=st.integers(1, 5),
    operands=st.integers(1, 12),
    groups=st.integers(1, 3),
    pixel_folds=st.integers(1, 2),
)
def test_groups_run_one_after_the_other_on_the_stepped_array(
    rows: int, columns: int, operands: int, groups: int, pixel_folds: int
) -> None:
    tiles = pixel_folds * groups
    cycles, correct = stepped(rows, columns, operands, tiles, max(operands, rows))
    assert correct
    pixels, channels = rows * pixel_folds, columns * groups
    assert cycles == convolution_cycles(
        array(rows, columns), pixels, channels, operands, 8, 8, groups
    )


def test_a_depthwise_convolution_uses_one_column() -> None:
    machine = array(32, 32)
    cycles = convolution_cycles(machine, 3200, 64, 9, 8, 8, groups=64)
    assert cycles == (100 * 64 - 1) * 32 + 9 + 62 + 34
    assert round(100 * utilization(machine, 3200 * 64 * 9, cycles), 1) == 0.9


def test_a_group_reads_its_channels_of_every_tap_in_words_of_their_own() -> None:
    # 10 pixels, 9 taps, 8 groups of 3 → 4 channels of 6 bits: 18 bits of a 16-bit word are two
    reads = sram_reads(array(4, 4), 10, 32, 27, 8, 6, 16, groups=8, taps=9)
    assert reads.activation_words == 10 * 9 * 2 * 8
    assert reads.weight_words == 32 * 27 * 3 * 8 // 16


def test_banks_that_cannot_feed_the_rows_make_tiles_longer() -> None:
    machine = array(16, 16)
    feed = scattered_feed_cycles(machine, 64, 25, 1, 8, word_bits=64, banks=8)
    assert feed == 16 * 25 // 8
    fed = convolution_cycles(machine, 64, 4, 25, 8, 8, groups=4, feed=feed)
    assert fed == 15 * 50 + 50 + 30 + 18
