"""What a second thread adds: the tiles of each instruction set alone, and whole convolutions.

    python benchmarks/threads.py [--rounds 9]

One thread and two take turns; figures are medians by the clock. "Tiles" multiplies from a few
cache lines and stores sums there, so that nothing but the processor's arithmetic can be shared:
where two hardware threads sit on one core, or a hypervisor shares matrix units out, it shows here.
The convolution has 64 inputs and outputs, 3 by 3, on 270 by 480 pixels, in `xnnpack`'s convention.
"""

import argparse
import threading
from collections.abc import Callable

import numpy as np
import timing
from numba import njit

from hwsim.arithmetic._aligned import aligned_empty
from hwsim.arithmetic._instruction_sets import TABLE, available
from hwsim.arithmetic._strip_intrinsic import accumulate_strip
from hwsim.arithmetic.convolution import pack_convolution, tiled_kernel
from hwsim.arithmetic.convolution_of_maps import Surroundings, convolve_map
from hwsim.arithmetic.geometry import Padding
from quant.common.requantization import Requantization
from quant.common.rescaling import float32_bits

Work = Callable[[], None]

SIZE = 270, 480
CHANNELS = 64
STRIP_PIXELS, STEPS, STRIPS = 192, 9, 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print(f"{timing.processor()}, load {timing.load()}")
    print(f"{'':18}{'tiles, GMAC/s':>28}{'convolution, GMAC/s':>30}")
    print(f"{'instruction set':18}" + 2 * f"{'1 thread':>10}{'2':>8}{'ratio':>10}")
    for place in available():
        columns = [measured(*make(place), rounds) for make in (tiles, convolution)]
        text = "".join(f"{one:10.0f}{two:8.0f}{two / one:10.2f}" for one, two in columns)
        print(f"{TABLE[place].name:18}{text}", flush=True)


def measured(run: Callable[[int], None], macs: int, rounds: int) -> tuple[float, float]:
    """GMAC per second of one thread and of two, by the clock."""
    seconds = timing.measured({"1": lambda: run(1), "2": lambda: run(2)}, rounds)
    (one, _), (two, _) = seconds.values()
    return macs / one / 1e9, 2 * macs / two / 1e9


def tiles(place: int) -> tuple[Callable[[int], None], int]:
    """Strips of an instruction set that read and write the same few lines: each thread its own."""
    row = TABLE[place]
    registers = row.wide.registers
    lanes = registers * row.lanes
    size = np.dtype(row.operand).itemsize
    weights = aligned_empty(STEPS * lanes * row.taps, np.dtype(f"int{8 * size}"))
    weights[:] = 1
    offsets = np.zeros(STEPS, np.int64)

    @njit(nogil=True)
    def strips(sums, bias, operands, weights, offsets):  # type: ignore[no-untyped-def]
        for _ in range(STRIPS):
            accumulate_strip(
                place, registers, sums, bias, operands, 64, weights, offsets, STRIP_PIXELS
            )

    def work() -> None:
        operands = aligned_empty(64 * (STRIP_PIXELS + row.most_pixels) + 64, np.uint8)
        operands[:] = 1
        sums = aligned_empty((STRIP_PIXELS + row.most_pixels) * lanes, np.int32)
        strips(sums, np.zeros(lanes, np.int32), operands, weights, offsets)

    macs = STRIPS * STRIP_PIXELS * lanes * STEPS * row.taps
    return lambda threads: side_by_side(work, threads), macs


def side_by_side(work: Work, threads: int) -> None:
    """Run the same work on each thread."""
    started = [threading.Thread(target=work) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def convolution(place: int) -> tuple[Callable[[int], None], int]:
    """One convolution whose rows are shared out; twice on two threads, to count as the tiles do."""
    random = np.random.default_rng(0)
    largest = 127 if TABLE[place].operand is np.uint8 else 2**11
    weight = random.integers(-largest, largest, (CHANNELS, 3, 3, CHANNELS), np.int32)
    scale = np.repeat(float32_bits(1e-3), CHANNELS)
    scaling = Requantization(scale, np.zeros(CHANNELS, np.int64), 0, -128, 127, "xnnpack")
    packed = pack_convolution(
        weight, np.zeros(CHANNELS, np.int64), scaling, -128, 127, kernels=[tiled_kernel(place)]
    )
    image = random.integers(-128, 128, (*SIZE, CHANNELS)).astype(np.int8)
    around = Surroundings(Padding(1, 1, 1, 1))

    def run(threads: int) -> None:
        for _ in range(threads):
            convolve_map(packed, image, around, threads)

    return run, SIZE[0] * SIZE[1] * weight.size


if __name__ == "__main__":
    main()
