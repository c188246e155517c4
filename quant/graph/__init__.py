"""The integer graph: what is computed, in integers, with no torch and no hardware in sight."""

from quant.common.accumulators import Accumulator
from quant.common.codes import CodeKind
from quant.graph.accumulators import accumulator_bits, can_overflow, with_accumulators
from quant.graph.graph import Graph, GraphError, Node
from quant.graph.grids import Size
from quant.graph.operators import (
    BORDERS,
    SHUFFLE_ORDERS,
    STATISTICS,
    Add,
    AveragePool,
    BilinearResize,
    Concatenate,
    Convolution,
    FusedTerms,
    Input,
    LookupTable,
    Multiply,
    NearestResize,
    Operator,
    ParametricRelu,
    PixelShuffle,
    Requantization,
    Requantize,
    Statistics,
    TermRounding,
    TransposedConvolution,
)
from quant.graph.rules import sum_bits
from quant.graph.serialization import load_graph, save_graph
from quant.graph.types import Encoding, IntegerType, Padding, TensorType
from quant.graph.verifier import verify

__all__ = [
    "BORDERS",
    "SHUFFLE_ORDERS",
    "STATISTICS",
    "Accumulator",
    "Add",
    "AveragePool",
    "BilinearResize",
    "CodeKind",
    "Concatenate",
    "Convolution",
    "Encoding",
    "FusedTerms",
    "Graph",
    "GraphError",
    "Input",
    "IntegerType",
    "LookupTable",
    "Multiply",
    "NearestResize",
    "Node",
    "Operator",
    "Padding",
    "ParametricRelu",
    "PixelShuffle",
    "Requantization",
    "Requantize",
    "Size",
    "Statistics",
    "TensorType",
    "TermRounding",
    "TransposedConvolution",
    "accumulator_bits",
    "can_overflow",
    "load_graph",
    "save_graph",
    "sum_bits",
    "verify",
    "with_accumulators",
]
