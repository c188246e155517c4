"""The integer graph: what is computed, in integers, with no torch and no hardware in sight."""

from quant.common.codes import CodeKind
from quant.graph.graph import Graph, GraphError, Node, Size
from quant.graph.operators import (
    Add,
    Convolution,
    Input,
    Operator,
    PixelShuffle,
    Requantization,
    Requantize,
    TermRounding,
)
from quant.graph.serialization import load_graph, save_graph
from quant.graph.types import Encoding, IntegerType, TensorType
from quant.graph.verifier import accumulator_bits, sum_bits, verify

__all__ = [
    "Add",
    "CodeKind",
    "Convolution",
    "Encoding",
    "Graph",
    "GraphError",
    "Input",
    "IntegerType",
    "Node",
    "Operator",
    "PixelShuffle",
    "Requantization",
    "Requantize",
    "Size",
    "TensorType",
    "TermRounding",
    "accumulator_bits",
    "load_graph",
    "save_graph",
    "sum_bits",
    "verify",
]
