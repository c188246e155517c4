"""TensorFlow Lite flatbuffers of signed 8-bit codes."""

from hwsim.export.request import ExportRequest, Files
from quant.interchange.signed_codes import with_signed_codes
from quant.interchange.tflite_writer import CONVENTIONS, tflite_model


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write a model for images of one size, whose pixels it takes and gives less 128."""
    graph = with_signed_codes(request.graph)
    rounding = graph.metadata.get("rounding", CONVENTIONS[0])
    convention = rounding if rounding in CONVENTIONS else CONVENTIONS[0]
    content = tflite_model(graph, request.size, convention)
    files.write(name, lambda path: path.write_bytes(content))
