"""FQSR: everything quantized, additions included, with one learned interval a tensor.

Source: Wang et al., "Fully quantized image super-resolution networks", ACM MM 2021, arXiv
2011.14265. Importing this package does not import torch.
"""

from quant.methods.fqsr.method import Fqsr

__all__ = ["Fqsr"]
