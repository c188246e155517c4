"""nvdla_nv_small against the cycles of NVIDIA's own RTL.

The RTL cycles were measured in Verilator on the ten convolution traces that nvdla/hw ships, of
which six are stated with shapes. c is the compute bound, L the time its test bench takes to feed
input and weights, and c <= RTL <= c + L + 380 in all of them.
"""

from math import ceil

import numpy as np
import pytest

from accelerators import Accelerator, load_accelerator
from accelerators.datapaths.interface import Work
from accelerators.datapaths.kinds import datapath_of
from hwsim.schedule.array_work import ArrayWork
from hwsim.simulation import estimate
from quant.common.codes import CodeKind
from quant.graph import (
    Convolution,
    Graph,
    Input,
    IntegerType,
    Node,
    Padding,
    Requantization,
    Size,
    TensorType,
    verify,
)
from tests.machines import prices

NV_SMALL = load_accelerator("nvdla_nv_small")

TRACES = {
    # output pixels, kernels, input channels, taps, RTL cycles, c, c + L
    "dc_35x22x54_6x8": (36 * 24, 29, 54, 8 * 6, 1_189_330, 1_161_216, 1_190_812),
    "dc_32x26x76_6x3": (29 * 28, 16, 76, 3 * 6, 314_722, 292_320, 314_432),
    "dc_8x16x128_3x3": (7 * 17, 32, 128, 3 * 3, 77_032, 68_544, 81_856),
    "dc_24x33x55_5x5": (7 * 12, 25, 55, 5 * 5, 78_780, 58_800, 78_496),
    "dc_14x7x49_3x4": (14 * 7, 32, 49, 4 * 3, 35_954, 32_928, 39_004),
    "dc_1x1x8_1x1": (1, 1, 8, 1, 196, 1, 35),
}


@pytest.mark.parametrize("name", TRACES)
def test_cycles_lie_where_those_of_the_rtl_do(name: str) -> None:
    pixels, kernels, channels, taps, rtl, bound, loaded = TRACES[name]
    assert bound == ceil(kernels / 8) * ceil(channels / 8) * taps * pixels
    assert bound <= rtl <= loaded + 380
    work = ArrayWork(pixels, kernels, 1, taps, channels, 8, 8)
    assert bound <= work.cycles(NV_SMALL) <= loaded + 380


def test_the_array_is_64_multipliers_that_take_channels_of_one_tap() -> None:
    datapath = datapath_of(NV_SMALL.array)
    assert datapath.peak_macs_per_cycle(8, 8) == 64
    nine, ten = (
        datapath.cycles(Work(1000, 8, 1, taps, 9, 8, 8), NV_SMALL.sram) for taps in (9, 10)
    )
    assert ten - nine >= 2 * 1000  # 9 channels are two turns of 8, whatever the other taps have


def whole_program(
    image: Size, channels: int, kernels: int, kernel: tuple[int, int], output: Size
) -> int:
    """Cycles of a convolution from DRAM to DRAM, at the 4 bytes a cycle of the RTL's test bench."""
    data = NV_SMALL.model_dump()
    data["dram"]["bandwidth_gb_per_s"] = 4
    machine = Accelerator.model_validate(data)
    signed = IntegerType(8, CodeKind.SIGNED)
    rows, columns = (
        after - before + side - 1
        for after, before, side in (
            (output.height, image.height, kernel[0]),
            (output.width, image.width, kernel[1]),
        )
    )
    convolution = Convolution(
        np.ones((kernels, *kernel, channels), np.int64),
        signed,
        np.zeros(kernels, np.int64),
        Padding(rows // 2, rows - rows // 2, columns // 2, columns - columns // 2),
        np.zeros(1, np.int64),
        Requantization(np.array([1]), np.array([9]), 0, -128, 127),
    )
    nodes = (
        Node("image", Input(), (), TensorType(channels, signed)),
        Node("trace", convolution, ("image",), TensorType(kernels, signed)),
    )
    graph = verify(Graph("trace", nodes, "trace"))
    return estimate(graph, machine, prices(machine), image).cost.cycles


@pytest.mark.parametrize(
    ("name", "image", "kernels", "kernel", "output"),
    [
        ("dc_35x22x54_6x8", Size(22, 35), 29, (8, 6), Size(24, 36)),
        ("dc_32x26x76_6x3", Size(26, 32), 16, (3, 6), Size(28, 29)),
        ("dc_8x16x128_3x3", Size(16, 8), 32, (3, 3), Size(17, 7)),
        ("dc_14x7x49_3x4", Size(7, 14), 32, (3, 4), Size(7, 14)),
    ],
)
def test_whole_programs_lie_there_too(
    name: str, image: Size, kernels: int, kernel: tuple[int, int], output: Size
) -> None:
    _, _, channels, _, _, bound, loaded = TRACES[name]
    cycles = whole_program(image, channels, kernels, kernel, output)
    assert bound <= cycles <= loaded + 380
