"""What a quantization method is."""

from typing import TYPE_CHECKING, Protocol

from quant.common.requantization_modes import DEFAULT_MODE
from quant.graph import Graph
from quant.lowering import FloatNetwork
from quant.methods.calibration import Calibration
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from quant.lowering.encoded_execution import EncodedExecution


class Quantized(Protocol):
    """A network whose tensors have encodings, in integers and in reals."""

    def graph(self) -> Graph:
        """The verified integer graph.

        Raises:
            UserError: its requantization mode cannot express a layer's widths or scales.
        """
        ...

    def execution(self) -> "EncodedExecution":
        """The same network in float64, rounded to the same codes."""
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
