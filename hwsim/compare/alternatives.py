"""What a method made of a network: one graph, or several of which each image runs one.

A method whose bits depend on the image gives a *selector*, a graph of its own whose numbers say
which of several *variants* runs. Here both cases have one shape, so that nothing else asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hwsim.identity import digest, graph_identity
from hwsim.machine import KERNELS, run_layerwise
from quant.graph import Graph, Size
from quant.graph.bits import counted_layers

Select = Callable[[NDArray[np.int64], Size], int]
"""From the selector's numbers and the image's size to the place of a variant."""


class Selection(Protocol):
    """What an image decided."""

    @property
    def variant(self) -> int:
        """Place of the variant that runs."""
        ...


class Adaptive(Protocol):
    """What a method gives whose bits depend on the image."""

    @property
    def selector(self) -> Graph:
        """From the image to the numbers that decide."""
        ...

    @property
    def variants(self) -> tuple[Graph, ...]:
        """The graphs of which one runs."""
        ...

    def select(self, sums: NDArray[np.int64], image: Size) -> Selection:
        """What the selector's numbers decide for an image of that size."""
        ...

    @property
    def metadata(self) -> Mapping[str, str]:
        """Text about where the graphs come from."""
        ...

    def shares(self) -> tuple[Fraction, ...]:
        """The part of the calibration images that chose each variant."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Alternatives:
    """Graphs of one network of which each image runs one.

    Attributes:
        variants: the graphs; one where nothing depends on the image.
        selector: what every image runs before, to choose; None where there is no choice.
        select: what the selector's numbers choose.
        shares: the part of images expected to choose each variant.
        counted: the convolutions whose bits papers average for this method, where it says so.
    """

    variants: tuple[Graph, ...]
    selector: Graph | None
    select: Select
    shares: tuple[float, ...]
    counted: frozenset[str] | None

    @classmethod
    def of(
        cls, quantized: Graph | Adaptive, as_computed: Callable[[Graph], Graph]
    ) -> "Alternatives":
        """The graphs of what a method gave.

        Args:
            quantized: a graph, or anything of the shape of `Adaptive`.
            as_computed: makes of each graph what the machine computes
                (`hwsim.schedule.accumulators.as_computed_by`).
        """
        counted = counted_layers(quantized.metadata)
        if isinstance(quantized, Graph):
            return cls((as_computed(quantized),), None, lambda sums, image: 0, (1.0,), counted)
        return cls(
            tuple(map(as_computed, quantized.variants)),
            as_computed(quantized.selector),
            lambda sums, image: quantized.select(sums, image).variant,
            tuple(map(float, quantized.shares())),
            counted,
        )

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """The variants, and the selector behind them if there is one."""
        return self.variants if self.selector is None else (*self.variants, self.selector)

    def identity(self) -> str:
        """Hash of all graphs."""
        return digest(*map(graph_identity, self.graphs))

    def choose(self, image: NDArray[np.int32]) -> int:
        """The variant that an image runs.

        Args:
            image: int32 [height, width, channels], codes of the input.
        """
        if self.selector is None:
            return 0
        sums = run_layerwise(self.selector, image, KERNELS).astype(np.int64)
        return self.select(sums, Size(*image.shape[:2]))

    def enlarge(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
        """A picture as the machine computes it, by the fast kernels, and the variant that made it.

        The kernels give, layer by layer on whole feature maps, the machine's integers bit for bit.

        Args:
            image: uint8 [height, width, 3].
        """
        codes = image.astype(np.int32)
        variant = self.choose(codes)
        output: NDArray[Any] = run_layerwise(self.variants[variant], codes, KERNELS)
        return output.astype(np.uint8), variant
