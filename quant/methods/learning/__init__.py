"""What methods that learn share: fake quantizers, a network they act in, a loop, files.

Importing this package does not import torch; most of its modules do.
"""
