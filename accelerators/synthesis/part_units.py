"""Parts that elements are made of, by themselves: multipliers and adders, without registers."""

import numpy as np

from accelerators.synthesis.simulator import STREAMS
from accelerators.synthesis.unit import Expected, Trial, Unit, low_bits

CYCLES = 200

WARM_UP_CYCLES = 2


def multiplier_unit(weight_bits: int, activation_bits: int) -> Unit:
    """A multiplier of signed operands."""
    product_bits = weight_bits + activation_bits + 2
    inputs = {"activation": activation_bits, "weight": weight_bits}
    return Unit(
        f"multiplier_w{weight_bits}_a{activation_bits}",
        "lane_product",
        {
            "KIND": "multiply",
            "ACTIVATION_BITS": activation_bits,
            "WEIGHT_BITS": weight_bits,
            "PRODUCT_BITS": product_bits,
        },
        inputs,
        {"activation_signed": "1'b1", "weight_signed": "1'b1", **{port: port for port in inputs}},
        {"product": product_bits},
        is_clocked=False,
    )


def multiplier_trial(weight_bits: int, activation_bits: int) -> Trial:
    """Uniformly random operands."""
    generator = np.random.default_rng([weight_bits, activation_bits])
    activations, weights = (
        generator.integers(-(1 << bits - 1), 1 << bits - 1, (CYCLES, STREAMS))
        for bits in (activation_bits, weight_bits)
    )
    products = low_bits(activations * weights, weight_bits + activation_bits + 2)
    return Trial(
        {"activation": activations, "weight": weights},
        WARM_UP_CYCLES,
        1.0,
        (Expected("product", np.arange(CYCLES), products),),
    )


def adder_unit(bits: int) -> Unit:
    """An adder as accumulators have it."""
    inputs = {"sum_in": bits, "added": bits}
    return Unit(
        f"adder_{bits}",
        "accumulator_step",
        {"ADDED_BITS": bits, "SUM_BITS": bits, "PLACE_BITS": 1},
        inputs,
        {"place": "1'b0", "subtract": "1'b0", **{port: port for port in inputs}},
        {"sum_out": bits},
        is_clocked=False,
    )


def adder_trial(bits: int) -> Trial:
    """Uniformly random operands."""
    generator = np.random.default_rng(bits)
    left, right = generator.integers(-(1 << bits - 1), 1 << bits - 1, (2, CYCLES, STREAMS))
    sums = low_bits(left + right, bits)
    return Trial(
        {"sum_in": left, "added": right},
        WARM_UP_CYCLES,
        1.0,
        (Expected("sum_out", np.arange(CYCLES), sums),),
    )
