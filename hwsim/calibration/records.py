"""A network's operands at any widths, recorded when they are asked for."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hwsim.calibration.recorded import Recording, record
from quant.graph import Graph
from quant.graph.adaptive_file import AnyGraph

Codes = NDArray[np.int32]

HEIGHT, WIDTH = 64, 96
"""Of the middle of the picture, which the network is run on."""


class NetworkRecords:
    """Recordings of one network under uniform policies, on the middle of a picture."""

    def __init__(self, quantize: Callable[[str], AnyGraph], image: Codes) -> None:
        """Take a network.

        Args:
            quantize: from a policy such as ``w4a8`` to the graph.
            image: int32 [height, width, channels], codes of its input.
        """
        self._quantize = quantize
        top, left = (
            max(side - most, 0) // 2
            for side, most in zip(image.shape[:2], (HEIGHT, WIDTH), strict=True)
        )
        self._image = image[top : top + HEIGHT, left : left + WIDTH]
        self._found: dict[str, Recording | None] = {}

    def __call__(self, weight_bits: int, activation_bits: int) -> Recording | None:
        """What its layers compute with at these widths; None if none has plain integers of them."""
        policy = f"w{weight_bits}a{activation_bits}"
        if policy not in self._found:
            self._found[policy] = self._record(policy, weight_bits, activation_bits)
        return self._found[policy]

    def _record(self, policy: str, weight_bits: int, activation_bits: int) -> Recording | None:
        graph = self._quantize(policy)
        assert isinstance(graph, Graph)
        recording = record(graph, self._image)
        product = recording.products[0]
        widths = product.weight_bits, product.activation_bits
        return recording if widths == (weight_bits, activation_bits) else None
