"""ONNX models in the dialect QONNX."""

from hwsim.export.request import ExportRequest, Files
from quant.interchange.onnx_quantizers_writer import quantizer_model


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write a model for images of one size."""
    content = quantizer_model(request.graph, request.size, "qonnx", request.settings.scales)
    files.write(name, lambda path: path.write_bytes(content))
