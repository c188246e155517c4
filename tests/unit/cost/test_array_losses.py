"""Losses of the array against an array of processing elements looked at one by one."""

from itertools import product

import pytest

from accelerators import Accelerator
from hwsim.cost.array_losses import (
    CHANNEL_PADDING,
    COMPUTE,
    FILL_DRAIN,
    NARROW_OPERANDS,
    PIXEL_PADDING,
    SRAM,
    WIDE_OPERANDS,
    array_slots,
    slots_per_cycle,
)
from hwsim.schedule.array_work import ArrayWork
from tests.machines import machine


def _by_hand(work: ArrayWork, accelerator: Accelerator) -> dict[str, int]:
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
    return found


@pytest.mark.parametrize("pixels", [1, 8, 21])
@pytest.mark.parametrize(("channels", "groups"), [(3, 1), (8, 1), (12, 1), (12, 3), (9, 9)])
@pytest.mark.parametrize("bits", [(8, 8), (3, 8), (8, 12), (16, 2), (16, 16)])
def test_products_and_padding(
    pixels: int, channels: int, groups: int, bits: tuple[int, int]
) -> None:
    accelerator = machine(array=8)
    work = ArrayWork(pixels, channels, groups, 9, 4, *bits)
    slots = array_slots(work, accelerator)
    assert {cause: slots[cause] for cause in _by_hand(work, accelerator)} == _by_hand(
        work, accelerator
    )
    assert sum(slots.values()) == work.cycles(accelerator) * slots_per_cycle(accelerator)
    assert slots[COMPUTE] + slots[NARROW_OPERANDS] == work.macs * 64


def test_a_single_full_tile_loses_what_its_skew_and_drain_take() -> None:
    accelerator = machine(array=8)
    slots = array_slots(ArrayWork(8, 8, 1, 9, 16, 8, 8), accelerator)
    of_cycle = slots_per_cycle(accelerator)
    assert slots[COMPUTE] == 9 * 16 * of_cycle
    assert slots[FILL_DRAIN] == ((8 + 8 - 2) + 8 + 2) * of_cycle


def test_tiles_shorter_than_their_drain_wait_for_it() -> None:
    accelerator = machine(array=8)
    slots = array_slots(ArrayWork(80, 8, 1, 1, 2, 8, 8), accelerator)
    assert slots[FILL_DRAIN] == (9 * (8 - 2) + 24) * slots_per_cycle(accelerator)


def test_taps_read_on_their_own_wait_for_sram() -> None:
    accelerator = machine(array=8)
    sram = accelerator.sram.model_copy(update={"banks": 1})
    narrow = accelerator.model_copy(update={"sram": sram})
    work = ArrayWork(8, 8, 8, 9, 1, 8, 8)
    late = (8 * 9) - 9  # a word for each of nine taps of eight rows, instead of nine operands
    assert array_slots(work, accelerator)[SRAM] == 0
    assert array_slots(work, narrow)[SRAM] == 8 * late * slots_per_cycle(narrow)
