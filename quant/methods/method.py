"""What a quantization method is."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from quant.common.requantization_modes import DEFAULT_MODE
from quant.graph import Graph
from quant.graph.adaptive import AdaptiveGraph
from quant.lowering import FloatNetwork
from quant.methods.calibration import Calibration
from quant.policy import BitPolicy


class Quantized(Protocol):
    """A network whose tensors have encodings, in integers and in reals."""

    def graph(self) -> "Graph | AdaptiveGraph":
        """The verified integer graph, or those that an image chooses among.

        Raises:
            UserError: its requantization mode cannot express a layer's widths or scales.
        """
        ...

    def execution(self) -> "RealExecution":
        """The same network in float64, rounded to the same codes."""
        ...


class Oracle(Protocol):
    """What computes feature maps' codes one by one, without a graph's constants."""

    def codes_from(
        self, name: str, operands: Sequence[NDArray[np.integer[Any]]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """See `quant.lowering.encoded_execution.EncodedExecution.codes_from`."""
        ...


class RealExecution(Protocol):
    """A network in the codes of its encodings, computed in real numbers."""

    def oracle(self, image: NDArray[np.uint8]) -> Oracle:
        """What computes the codes of the graph that an image runs.

        Args:
            image: uint8, height x width x colours.
        """
        ...

    def codes(self, image: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """The codes of every feature map, in order, under the names they have in the graph.

        Args:
            image: uint8, height x width x colours.
        """
        ...

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture that comes out, uint8, height x width x colours."""
        ...


class QuantizationMethod(Protocol):
    """Decides every encoding of a network."""

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> Quantized:
        """The network with encodings.

        Args:
            network: a folded float network.
            policy: bits of each of its layers.
            calibration: pictures the method may look at.
            rounding: name of the requantization mode (`quant.common.requantization_modes`).

        Raises:
            UserError: the policy names layers the network has not, the pictures do not fit, or
                the mode is not known or cannot express a layer.
        """
        ...

    def __str__(self) -> str:
        """The method with its options, as `method_named` reads it."""
        ...
