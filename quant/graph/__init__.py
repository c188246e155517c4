"""The integer graph: what is computed, in integers, with no torch and no hardware in sight."""

from quant.common.accumulators import Accumulator
from quant.common.codes import CodeKind
from quant.common.run_time_scaling import PLACEMENTS
from quant.graph.accumulators import accumulator_bits, can_overflow, with_accumulators
from quant.graph.convolution_rules import sum_bits
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
    Encode,
    FusedTerms,
    Input,
    LookupTable,
    Multiply,
    NearestResize,
    Normalization,
    Operator,
    ParametricRelu,
    PixelShuffle,
    Requantization,
    Requantize,
    ScaledConvolution,
    Statistics,
    TermRounding,
    TransposedConvolution,
)
from quant.graph.run_time_scaling_rules import scaled_sum_bits
from quant.graph.serialization import load_graph, save_graph
from quant.graph.types import Encoding, IntegerType, Padding, TensorType
from quant.graph.verifier import verify

__all__ = [
    "BORDERS",
    "PLACEMENTS",
    "SHUFFLE_ORDERS",
    "STATISTICS",
    "Accumulator",
    "Add",
    "AveragePool",
    "BilinearResize",
    "CodeKind",
    "Concatenate",
    "Convolution",
    "Encode",
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
    "Normalization",
    "Operator",
    "Padding",
    "ParametricRelu",
    "PixelShuffle",
    "Requantization",
    "Requantize",
    "ScaledConvolution",
    "Size",
    "Statistics",
    "TensorType",
    "TermRounding",
    "TransposedConvolution",
    "accumulator_bits",
    "can_overflow",
    "load_graph",
    "save_graph",
    "scaled_sum_bits",
    "sum_bits",
    "verify",
    "with_accumulators",
]
