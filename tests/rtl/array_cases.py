"""Arrays of every kind small enough to build, and products that use all of their ways."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator, load_accelerator
from accelerators.schema import Array
from hwsim.arithmetic import reference
from hwsim.verify import Check
from hwsim.verify.rtl.array_design import array_design
from hwsim.verify.rtl.array_ports import ArrayPorts
from hwsim.verify.rtl.outcome import Simulation
from hwsim.verify.rtl.tile_checks import check_tiles, tile_cases
from hwsim.verify.rtl.tiles import Tile
from hwsim.verify.stepped import Product
from quant.graph import Requantization

Wide = NDArray[np.int64]

SCALES = 16

_SIZES = {"rows": 4, "columns": 4, "weight_bits": 8, "activation_bits": 8, "accumulator_bits": 40}
_OF_KIND: dict[str, dict[str, object]] = {
    "output_stationary": {"rows": 8, "columns": 8},
    "weight_stationary": {"rows": 8, "columns": 8, "accumulator_entries": 16},
    "input_stationary": {"rows": 8, "columns": 8, "accumulator_entries": 16},
    "activation_serial": {"lanes": 2},
    "weight_serial": {"lanes": 2, "lanes_at_one_bit": 3},
    "bit_serial": {"lanes": 4},
    "composable": {"columns": 3, "accumulator_entries": 16},
    "shift_add": {"lanes": 2},
}


def array_of(kind: str, **changes: object) -> Array:
    """A small array of a kind."""
    return Array.model_validate({**_SIZES, **_OF_KIND[kind], **changes, "dataflow": kind})


ARRAYS = {kind: array_of(kind) for kind in _OF_KIND}


def machine_with(array: Array) -> Accelerator:
    """The edge NPU with another array."""
    data = load_accelerator("edge_npu").model_dump()
    changed = {"name": f"edge_npu with {array.dataflow}", "array": array.model_dump()}
    return Accelerator.model_validate({**data, **changed})


def compared(
    array: Array, simulation: Simulation, tiles: Sequence[Tile], stall_seed: int | None = None
) -> list[Check]:
    """Tiles on an array's Verilog; those whose operands come late without their cycles."""
    ports = ArrayPorts(array_design(array), machine_with(array), "")
    cases, misfits = tile_cases(ports, tiles)
    assert not misfits
    if stall_seed is not None:
        cases = [
            replace(case, job=replace(case.job, stall_seed=stall_seed + number), cycles=None)
            for number, case in enumerate(cases)
        ]
    outcomes = simulation.run_many([case.job for case in cases])
    return check_tiles(array.dataflow, "reference", cases, outcomes)


def tile_of(product: Product, codes: Wide, rounding: str = "half_up") -> Tile:
    """A product as a tile of no network; its pixels lie in a row."""
    pixels = np.arange(len(codes))
    return Tile("random", np.stack([0 * pixels, pixels], axis=1), 0, product, rounding, codes)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large products get, in arrays' rows and columns.

    Attributes:
        pixels: at most so many.
        channels: likewise.
        inputs: of a tap.
        bits: of both operands.
    """

    pixels: int = 20
    channels: int = 20
    inputs: int = 7
    bits: int = 16


def random_product(random: np.random.Generator, limits: Limits, rounding: str) -> Product:
    """Operands of random widths, a fifth of them extremes; codes spread over their range."""
    pixels, channels, inputs = (
        int(random.integers(1, most + 1))
        for most in (limits.pixels, limits.channels, limits.inputs)
    )
    taps = int(random.choice([1, 2, 4, 9]))
    weight_bits, activation_bits = (int(bits) for bits in random.integers(1, limits.bits + 1, 2))
    is_signed = bool(random.integers(2))
    activations = operands(random, activation_bits, is_signed, (pixels, taps * inputs))
    weights = operands(random, weight_bits, True, (taps * inputs, channels))
    scales = spreading_scales(random, activations @ weights, rounding)
    return Product(activations, weights, taps, weight_bits, activation_bits, is_signed, scales)


def operands(
    random: np.random.Generator, bits: int, is_signed: bool, shape: tuple[int, int]
) -> Wide:
    """Integers of a width, the ends of its range among them."""
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    values = random.integers(low, high, shape, np.int64, endpoint=True)
    ends = random.choice(np.array([low, high]), shape)
    return np.where(random.random(shape) < 0.2, ends, values)


def spreading_scales(random: np.random.Generator, sums: Wide, rounding: str) -> Wide:
    """Scales [channels, 6] that take most sums to different codes of 8 bits, a few to the clamp.

    Every other channel has a shift of one or two, so that halves are met.
    """
    channels = sums.shape[1]
    reach = max(1, int(np.abs(sums).max()))
    shift = np.where(np.arange(channels) % 2, random.integers(24, 30, channels), reach.bit_length())
    multiplier = np.maximum(1, (160 << shift) // reach * random.integers(8, 13, channels) // 10)
    multiplier = np.minimum(multiplier, 2**31 - 1)
    bias = random.integers(-reach // 4 - 1, reach // 4 + 2, channels)
    zero_point = random.integers(-9, 10, channels)
    fixed = np.full(channels, -128), np.full(channels, 127)
    return np.stack([bias, multiplier, shift, zero_point, *fixed], axis=1)


def expected_codes(product: Product, rounding: str = "half_up") -> Wide:
    """The codes of a product, by the reference of the rounding."""
    sums = product.activations @ product.weights + product.scales[:, 0]
    return codes_of_sums(product, sums, rounding)


def codes_of_sums(product: Product, sums: Wide, rounding: str) -> Wide:
    """The codes of sums that have their bias, channel by channel."""
    codes = np.empty_like(sums)
    for channel, (_, multiplier, shift, zero_point, low, high) in enumerate(
        product.scales.tolist()
    ):
        rule = Requantization(
            np.array([multiplier]), np.array([shift]), zero_point, low, high, rounding
        )
        codes[:, channel] = reference.requantize(sums[:, channel : channel + 1], rule)[:, 0]
    return codes
