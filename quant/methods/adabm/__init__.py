"""AdaBM: bit-widths that the image decides, beside those the layer has.

Hong and Lee, "AdaBM: On-the-Fly Adaptive Bit Mapping for Image Super-Resolution", CVPR 2024.
``docs/methods/adabm.md`` has the formulas, the integer form, deviations and measurements.
Importing this package does not import torch.
"""
