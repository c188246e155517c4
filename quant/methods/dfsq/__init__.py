"""DFSQ: distribution-flexible subset quantization, after training and without labels.

Zhong et al., "Distribution-flexible subset quantization for post-quantizing super-resolution
networks", arXiv 2305.05888. ``docs/methods/dfsq.md`` says what is computed and why it differs.
"""

from quant.methods.dfsq.method import Dfsq

__all__ = ["Dfsq"]
