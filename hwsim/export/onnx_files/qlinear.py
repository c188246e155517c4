"""ONNX models of operators on codes: QLinearConv and its kin."""

from hwsim.export.request import ExportRequest, Files
from quant.interchange.onnx_writer import onnx_model


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write a model for images of one size."""
    content = onnx_model(request.graph, request.size)
    files.write(name, lambda path: path.write_bytes(content))
