"""Losses of the array against an array of processing elements looked at one by one."""

from fractions import Fraction
from itertools import product

import pytest

from accelerators import Accelerator
from accelerators.datapaths.output_stationary import OutputStationary
from accelerators.schema import Array
from hwsim.cost import array_losses
from hwsim.cost.array_losses import (
    CHANNEL_PADDING,
    COMPUTE,
    FILL_DRAIN,
    NARROW_OPERANDS,
    PIXEL_PADDING,
    REDUCTION_PADDING,
    SRAM,
    WIDE_OPERANDS,
    array_parts,
)
from hwsim.schedule.array_work import ArrayWork
from tests.machines import machine


def _by_hand(work: ArrayWork, accelerator: Accelerator) -> dict[str, Fraction]:
    """Every element in every cycle in which its tile's operands pass, for operands of any width."""
    array = accelerator.array
    bits = array.weight_bits * array.activation_bits
    weight_passes = -(-work.weight_bits // array.weight_bits)
    activation_passes = -(-work.activation_bits // array.activation_bits)
    passes = weight_passes * activation_passes
    used = min(work.weight_bits, array.weight_bits) * min(
        work.activation_bits, array.activation_bits
    )
    found = dict.fromkeys(
        (COMPUTE, NARROW_OPERANDS, WIDE_OPERANDS, CHANNEL_PADDING, PIXEL_PADDING), 0
    )
    group_channels = work.channels // work.groups
    for _ in range(work.groups):
        for pixel, channel in product(
            range(0, work.pixels, array.rows), range(0, group_channels, array.columns)
        ):
            for row, column in product(range(array.rows), range(array.columns)):
                if pixel + row >= work.pixels:
                    found[PIXEL_PADDING] += work.reduction * passes * bits
                elif channel + column >= group_channels:
                    found[CHANNEL_PADDING] += work.reduction * passes * bits
                else:
                    found[COMPUTE] += work.reduction * used
                    found[NARROW_OPERANDS] += work.reduction * (bits - used)
                    found[WIDE_OPERANDS] += work.reduction * (passes - 1) * bits
    return {cause: Fraction(part, 64 * bits) for cause, part in found.items()}


@pytest.mark.parametrize("pixels", [1, 8, 21])
@pytest.mark.parametrize(("channels", "groups"), [(3, 1), (8, 1), (12, 1), (12, 3), (9, 9)])
@pytest.mark.parametrize("bits", [(8, 8), (3, 8), (8, 12), (16, 2), (16, 16)])
def test_products_and_padding(
    pixels: int, channels: int, groups: int, bits: tuple[int, int]
) -> None:
    accelerator = machine(array=8)
    work = ArrayWork(pixels, channels, groups, 9, 4, *bits)
    parts, expected = array_parts(work, accelerator), _by_hand(work, accelerator)
    assert {cause: parts[cause] for cause in expected} == expected
    assert sum(parts.values()) == work.cycles(accelerator)
    assert parts[COMPUTE] + parts[NARROW_OPERANDS] == Fraction(work.macs, 64)


def test_a_single_full_tile_loses_what_its_skew_and_drain_take() -> None:
    parts = array_parts(ArrayWork(8, 8, 1, 9, 16, 8, 8), machine(array=8))
    assert parts[COMPUTE] == 9 * 16
    assert parts[FILL_DRAIN] == (8 + 8 - 2) + 8 + 2


def test_tiles_shorter_than_their_drain_wait_for_it() -> None:
    parts = array_parts(ArrayWork(80, 8, 1, 1, 2, 8, 8), machine(array=8))
    assert parts[FILL_DRAIN] == 9 * (8 - 2) + 24


def test_taps_read_on_their_own_wait_for_sram() -> None:
    accelerator = machine(array=8)
    sram = accelerator.sram.model_copy(update={"banks": 1})
    narrow = accelerator.model_copy(update={"sram": sram})
    work = ArrayWork(8, 8, 8, 9, 1, 8, 8)
    late = (8 * 9) - 9  # a word for each of nine taps of eight rows, instead of nine operands
    assert array_parts(work, accelerator)[SRAM] == 0
    assert array_parts(work, narrow)[SRAM] == 8 * late


def _of_kind(dataflow: str, **changes: object) -> Accelerator:
    accelerator = machine(array=8)
    array = accelerator.array.model_copy(update={"dataflow": dataflow, **changes})
    return accelerator.model_copy(update={"array": array})


def test_lanes_without_a_product_are_padding_of_the_reduction() -> None:
    # 18 products on 4 lanes take 5 steps, of which the last has room for two more.
    parts = array_parts(ArrayWork(8, 8, 1, 9, 2, 8, 8), _of_kind("output_stationary", lanes=4))
    assert parts[COMPUTE] == Fraction(18, 4)
    assert parts[REDUCTION_PADDING] == Fraction(2, 4)


def test_rows_without_a_product_are_padding_where_weights_stay() -> None:
    # 18 products take three loads of 8 rows, past which 20 pixels stream.
    work = ArrayWork(20, 6, 1, 9, 2, 8, 8)
    parts = array_parts(work, _of_kind("weight_stationary"))
    assert parts[COMPUTE] == Fraction(20 * 6 * 18, 64)
    assert parts[REDUCTION_PADDING] == Fraction(20 * 6 * 6, 64)
    assert parts[CHANNEL_PADDING] == Fraction(20 * 2 * 24, 64)
    assert parts[PIXEL_PADDING] == 0
    assert sum(parts[cause] for cause in (COMPUTE, REDUCTION_PADDING, CHANNEL_PADDING)) == 3 * 20


def test_columns_without_a_pixel_are_padding_where_inputs_stay() -> None:
    work = ArrayWork(20, 6, 1, 9, 2, 8, 8)
    parts = array_parts(work, _of_kind("input_stationary"))
    assert parts[PIXEL_PADDING] == Fraction(6 * 4 * 24, 64)
    assert parts[CHANNEL_PADDING] == 0


def test_three_bits_in_bricks_for_four_fill_nine_sixteenths() -> None:
    work = ArrayWork(16, 8, 1, 9, 16, 3, 3)
    parts = array_parts(work, _of_kind("composable"))
    assert parts[COMPUTE] + parts[NARROW_OPERANDS] == Fraction(work.macs, 4 * 64)
    assert parts[COMPUTE] == Fraction(work.macs, 4 * 64) * Fraction(9, 16)


def test_serial_weights_waste_no_bits() -> None:
    work = ArrayWork(8, 8, 1, 9, 4, 3, 8)
    parts = array_parts(work, _of_kind("weight_serial"))
    assert parts[COMPUTE] == 3 * 36
    assert parts[NARROW_OPERANDS] == parts[WIDE_OPERANDS] == 0


def test_a_kind_without_a_split_of_its_own_has_products_and_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Unknown:
        """Takes whatever an output-stationary array does, but is none."""

        def __init__(self, array: Array) -> None:
            self._known = OutputStationary(array)

        def __getattr__(self, name: str) -> object:
            return getattr(self._known, name)

    monkeypatch.setattr(array_losses, "datapath_of", Unknown)
    accelerator = machine(array=8)
    work = ArrayWork(7, 8, 1, 9, 4, 8, 16)
    parts = array_parts(work, accelerator)
    assert parts[COMPUTE] == Fraction(work.macs, 64)
    assert parts[WIDE_OPERANDS] == Fraction(work.macs, 64)
    assert sum(parts.values()) == work.cycles(accelerator)
    assert parts[FILL_DRAIN] == work.cycles(accelerator) - Fraction(2 * work.macs, 64)
