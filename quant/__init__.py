"""Quantized super-resolution networks: float networks, quantization methods, integer graphs.

``quant.graph``, ``quant.common`` and ``quant.imaging`` never import torch; ``quant.networks``,
``quant.methods``, ``quant.lowering`` and ``quant.training`` do.
"""
