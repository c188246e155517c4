"""Bit policies: how many bits each layer's weights and input feature map may have."""

from quant.policy.bits import LayerBits
from quant.policy.policy import DEFAULT_RESIDUAL_BITS, BitPolicy, Override, fits_layer, policy_names

__all__ = [
    "DEFAULT_RESIDUAL_BITS",
    "BitPolicy",
    "LayerBits",
    "Override",
    "fits_layer",
    "policy_names",
]
