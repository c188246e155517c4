"""What a method makes of a network: its tensors' encodings, ready to be lowered or run in reals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quant.graph import Graph
from quant.lowering import Encodings, FloatNetwork, lower

if TYPE_CHECKING:
    from quant.lowering.encoded_execution import EncodedExecution


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedNetwork:
    """A float network whose tensors have encodings.

    Attributes:
        network: folded, with the weights the method ended with.
        encodings: of its tensors.
        rounding: name of the requantization mode its scales were made for.
        metadata: text that goes along with its graph.
    """

    network: FloatNetwork
    encodings: Encodings
    rounding: str
    metadata: Mapping[str, str]

    def graph(self) -> Graph:
        """The verified integer graph.

        Raises:
            UserError: the mode cannot express a layer's widths or scales.
        """
        return lower(self.network, self.encodings, self.network.name, self.metadata, self.rounding)

    def execution(self) -> "EncodedExecution":
        """The same network in float64, rounded to the same codes."""
        from quant.lowering.encoded_execution import EncodedExecution  # torch is slow to import

        return EncodedExecution(self.network, self.encodings)
