"""A float network ready to be quantized under any policy, as data that can be sent elsewhere."""

from dataclasses import dataclass

from quant.graph.adaptive_file import AnyGraph
from quant.lowering import FloatNetwork
from quant.methods.calibration import Calibration
from quant.methods.method import QuantizationMethod, Quantized
from quant.policy import BitPolicy


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """From a policy to the network in codes, in integers or in reals.

    Attributes:
        method: decides encodings.
        network: the folded float network.
        calibration: pictures the method may look at, and what it has seen there.
        rounding: name of the requantization mode.
    """

    method: QuantizationMethod
    network: FloatNetwork
    calibration: Calibration
    rounding: str

    def __call__(self, policy: BitPolicy) -> Quantized:
        """The network with encodings.

        Raises:
            UserError: as `QuantizationMethod.quantize`.
        """
        return self.method.quantize(self.network, policy, self.calibration, self.rounding)


@dataclass(frozen=True, slots=True, eq=False)
class Quantizer:
    """From a policy to the integer graph, or those that an image chooses among.

    Attributes:
        encode: makes the codes.
    """

    encode: Encoder

    def __call__(self, policy: BitPolicy) -> AnyGraph:
        """The graph.

        Raises:
            UserError: as `QuantizationMethod.quantize` and `Quantized.graph`.
        """
        return self.encode(policy).graph()
