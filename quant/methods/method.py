"""What a quantization method is."""

from typing import Protocol

from quant.common.requantization_modes import DEFAULT_MODE
from quant.graph import Graph
from quant.lowering import FloatNetwork
from quant.methods.calibration import Calibration
from quant.policy import BitPolicy


class QuantizationMethod(Protocol):
    """Decides every encoding of a network, and lowers it with them."""

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> Graph:
        """The integer graph of a network.

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
