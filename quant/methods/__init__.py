"""Quantization methods by name, and `quantize`, which takes a torch network all the way.

Importing this package does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from quant.common.errors import UserError, suggestion
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.graph.adaptive_file import AnyGraph
from quant.lowering import FloatNetwork, Images, Progress
from quant.lowering.fold import fold
from quant.methods.adabm.method import AdaBM
from quant.methods.calibration import Calibration
from quant.methods.dfsq import Dfsq
from quant.methods.encoder import Encoder, Quantizer
from quant.methods.fqsr import Fqsr
from quant.methods.method import QuantizationMethod, Quantized
from quant.methods.odm import Odm, odm_v1, odm_v2
from quant.methods.omse import Omse
from quant.methods.ranges import MinMax, Percentile
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "METHODS",
    "Calibration",
    "Dfsq",
    "Encoder",
    "Fqsr",
    "MinMax",
    "Odm",
    "Omse",
    "Percentile",
    "QuantizationMethod",
    "Quantized",
    "Quantizer",
    "encoder",
    "method_named",
    "method_names",
    "quantize",
    "quantizer",
]


def _percentile(option: str) -> Percentile:
    try:
        return Percentile(float(option)) if option else Percentile()
    except ValueError as error:
        raise UserError(
            f"method percentile: expected a percentage such as percentile:99.99, given '{option}'; "
            "correct it"
        ) from error


def _plain(name: str, method: QuantizationMethod) -> Callable[[str], QuantizationMethod]:
    """Makes a method that has no option."""

    def make(option: str) -> QuantizationMethod:
        if option:
            raise UserError(f"method {name}: expected no option, given '{option}'; leave it out")
        return method

    return make


METHODS: dict[str, Callable[[str], QuantizationMethod]] = {
    "minmax": _plain("minmax", MinMax()),
    "percentile": _percentile,
    "omse": _plain("omse", Omse()),
    "odm": odm_v1,
    "odm-v2": odm_v2,
    "dfsq": Dfsq.parse,
    "fqsr": Fqsr.parse,
    "adabm": AdaBM.parse,
}
"""Methods by name; each is made from the text of its option, which may be empty."""


def method_names() -> tuple[str, ...]:
    """The names `method_named` knows."""
    return tuple(METHODS)


def method_named(text: str) -> QuantizationMethod:
    """A method by name, with an option behind a colon: ``minmax``, ``percentile:99.99``.

    Raises:
        UserError: no method has this name, or the option does not fit.
    """
    name, _, option = text.partition(":")
    if name not in METHODS:
        raise UserError(f"method '{name}' is not known; {suggestion(name, METHODS)}")
    return METHODS[name](option)


def quantize(
    network: nn.Module | FloatNetwork,
    method: str | QuantizationMethod,
    policy: BitPolicy,
    calibration_images: Images,
    name: str = "network",
    progress: Progress | None = None,
    rounding: str = DEFAULT_MODE,
) -> AnyGraph:
    """The integer graph of a float network, or those that an image chooses among.

    Args:
        network: a torch network from an image of 0..``pixel_range`` to one (see `trace`), or one
            that was read from a file.
        method: a method, or the text `method_named` reads.
        policy: bits of each layer.
        calibration_images: uint8, height x width x colours each; never those judged on.
        name: what the graph calls itself.
        progress: told after every calibration image.
        rounding: name of the requantization mode (`quant.common.requantization_modes`).

    Raises:
        UserError: the network cannot be lowered, the method or mode is not known, the policy names
            layers the network has not or widths the mode does not take, or the images do not fit.
    """
    return quantizer(network, method, calibration_images, name, progress, rounding)(policy)


def quantizer(
    network: nn.Module | FloatNetwork,
    method: str | QuantizationMethod,
    calibration_images: Images,
    name: str = "network",
    progress: Progress | None = None,
    rounding: str = DEFAULT_MODE,
) -> Quantizer:
    """`quantize` for many policies: the network is traced and calibrated once.

    What is returned can be pickled; it takes along the statistics it has made of the pictures.

    Args:
        network: as for `quantize`, and so are the others.
        method: a method, or the text `method_named` reads.
        calibration_images: uint8, height x width x colours each.
        name: what the graphs call themselves.
        progress: told after every calibration image.
        rounding: name of the requantization mode.

    Raises:
        UserError: as `quantize`; what concerns the policy is raised by the result.
    """
    return Quantizer(encoder(network, method, calibration_images, name, progress, rounding))


def encoder(
    network: nn.Module | FloatNetwork,
    method: str | QuantizationMethod,
    calibration_images: Images,
    name: str = "network",
    progress: Progress | None = None,
    rounding: str = DEFAULT_MODE,
) -> Encoder:
    """As `quantizer`, but what is made can also be computed in real numbers.

    Args:
        network: as for `quantizer`, and so are the others.
        method: a method, or the text `method_named` reads.
        calibration_images: uint8, height x width x colours each.
        name: what the graphs call themselves.
        progress: told after every calibration image.
        rounding: name of the requantization mode.

    Raises:
        UserError: as `quantizer`.
    """
    mode = mode_named(rounding).name
    chosen = method_named(method) if isinstance(method, str) else method
    traced = _traced(network, name)
    calibration = Calibration(traced, calibration_images, progress)
    return Encoder(chosen, traced, calibration, mode)


def _traced(network: nn.Module | FloatNetwork, name: str) -> FloatNetwork:
    """The folded network of a module, or of one that was read."""
    if isinstance(network, FloatNetwork):
        return fold(network)
    from quant.lowering.trace import trace  # torch takes seconds to import

    return trace(network, name)
