"""Integer graphs as ONNX models of float operators between quantizers: QDQ and QONNX.

Both dialects come with two kinds of scales. With ``unit`` ones numbers are the codes themselves and
every engine computes the graph's integers; with ``real`` ones they are what codes stand for, which
is what other tools read, rounded as float32 rounds.
"""

from quant.graph import Graph, Size
from quant.interchange.onnx_dialects import Dialect, Qdq, Qonnx
from quant.interchange.onnx_exact_writer import ExactWriter
from quant.interchange.onnx_maps import MapWriter
from quant.interchange.onnx_real_writer import RealWriter

DIALECTS: dict[str, type[Dialect]] = {"qdq": Qdq, "qonnx": Qonnx}
"""By the name of the format."""

_WRITERS: dict[str, type[MapWriter]] = {"unit": ExactWriter, "real": RealWriter}


def quantizer_model(graph: Graph, image: Size, dialect: str, scales: str = "unit") -> bytes:
    """The ONNX model of a graph for images of one size, channels first.

    A QDQ model takes and gives codes; a QONNX model takes and gives float32, the codes themselves
    (less ``hwsim.output_offset`` of its metadata) or, with real scales, what they stand for.

    Args:
        graph: a verified graph.
        image: height and width of the input.
        dialect: a name in `DIALECTS`.
        scales: ``unit`` or ``real``.

    Raises:
        GraphError: ONNX has no such operator, or floats could not hold what it computes.
    """
    return _WRITERS[scales](graph, image, DIALECTS[dialect]()).model()
