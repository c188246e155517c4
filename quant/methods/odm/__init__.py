"""ODM: quantization for super-resolution that overcomes distribution mismatch.

Hong and Lee, "Overcoming distribution mismatch in quantizing image super-resolution networks",
arXiv 2307.13337; its first version is the method ``odm``, the second (ECCV 2024) ``odm-v2``.
``docs/methods/odm.md`` has the formulas, the integer form, deviations and measurements.
Importing this package does not import torch.
"""

from quant.methods.odm.method import Odm, odm_v1, odm_v2

__all__ = ["Odm", "odm_v1", "odm_v2"]
