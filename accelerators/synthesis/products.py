"""Matrix products that processing elements are fed with, of random integers or of a network's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """Pixels times weights.

    Attributes:
        activations: [pixels, reduction], neighbouring pixels behind each other.
        weights: [reduction, channels].
        activation_bits: width of an activation's code.
        weight_bits: width of a weight, signed.
        is_signed: whether activations are signed.
    """

    activations: Integers
    weights: Integers
    activation_bits: int
    weight_bits: int
    is_signed: bool = True


RANDOM_PIXELS, RANDOM_REDUCTION, RANDOM_CHANNELS = 512, 288, 32
"""Shape of a random product: that of a convolution of 3 x 3 taps and 32 channels."""


def random_products(weight_bits: int, activation_bits: int, seed: int = 0) -> tuple[Product, ...]:
    """A product of uniformly random signed integers."""
    generator = np.random.default_rng([seed, weight_bits, activation_bits])
    shape = (RANDOM_PIXELS, RANDOM_REDUCTION)
    return (
        Product(
            _uniform(generator, activation_bits, shape),
            _uniform(generator, weight_bits, (RANDOM_REDUCTION, RANDOM_CHANNELS)),
            activation_bits,
            weight_bits,
        ),
    )


def _uniform(generator: np.random.Generator, bits: int, shape: tuple[int, int]) -> Integers:
    return generator.integers(-(1 << bits - 1), 1 << bits - 1, shape)


def products_by_stream(products: Sequence[Product], streams: int) -> list[Product]:
    """Which product each stream takes its operands from: they take turns."""
    return [products[stream % len(products)] for stream in range(streams)]
