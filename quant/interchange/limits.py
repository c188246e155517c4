"""What a graph of a file may have, so that a small file makes no large graph.

Files may use one array many times; a graph has each operator's constants for itself.
"""

from dataclasses import dataclass, fields

import numpy as np

from quant.common.errors import UnsupportedError
from quant.graph import TensorType
from quant.graph.operators import Operator

LARGEST_CHANNELS = 4096
"""Of a feature map; no network for pictures needs more, and tables grow with them."""

LARGEST_NODES = 1 << 14
LARGEST_VALUES = 1 << 27
"""Integers of all constants of a graph: 1 GiB while it is made."""


@dataclass(eq=False)
class Budget:
    """What nodes and integers are left."""

    nodes: int = LARGEST_NODES
    values: int = LARGEST_VALUES

    def spend(self, operator: Operator, output: TensorType) -> None:
        """Count an operator.

        Raises:
            UnsupportedError: it has too many channels, or the graph gets too large by it.
        """
        if output.channels > LARGEST_CHANNELS:
            raise UnsupportedError(f"{output.channels} channels, more than {LARGEST_CHANNELS}")
        constants = (getattr(operator, entry.name) for entry in fields(operator))
        self.values -= sum(value.size for value in constants if isinstance(value, np.ndarray))
        self.nodes -= 1
        if min(self.values, self.nodes) < 0:
            raise UnsupportedError(
                f"a graph of more than {LARGEST_NODES} nodes or {LARGEST_VALUES} constants"
            )
