"""Float ONNX models quantized by ONNX Runtime's own tool, and both engines' pictures of them."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from hwsim.machine import KERNELS, run_layerwise
from hwsim.verify.oracles.onnx_runtime import model_file
from quant.imaging import DEFAULT_SAMPLE, sample_photograph
from quant.interchange.onnx_model import load_model
from quant.interchange.onnx_reader import picture_graph_of

STYLES = {
    "QDQ u8": (QuantFormat.QDQ, QuantType.QUInt8),
    "QDQ s8": (QuantFormat.QDQ, QuantType.QInt8),
    "QLinear u8": (QuantFormat.QOperator, QuantType.QUInt8),
}
"""How models are quantized: form and type of the activations; weights are s8 for each channel."""

_SCALE = np.float32(1 / 255)


class _Photographs(CalibrationDataReader):
    """Parts of a photograph."""

    def __init__(self, colours: int) -> None:
        photograph = sample_photograph(DEFAULT_SAMPLE)[..., :colours]
        parts = [photograph[y : y + 48, y : y + 48] for y in (0, 60, 200)]
        self._parts = iter([{"image": _batch(part)} for part in parts])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next part, or None behind the last."""
        return next(self._parts, None)


def quantized(path: Path, style: str, colours: int = 3) -> Path:
    """Quantize a model; gives the file beside it.

    Args:
        path: a float model from ``image``.
        style: a name in `STYLES`.
        colours: channels of the image.
    """
    form, kind = STYLES[style]
    target = path.with_suffix(f".{style.replace(' ', '_')}.onnx")
    with _silence():
        quantize_static(
            str(path), str(target), _Photographs(colours), quant_format=form,
            activation_type=kind, weight_type=QuantType.QInt8, per_channel=True,
        )  # fmt: skip
    return target


def differing(path: Path, colours: int = 3) -> tuple[int, int, float]:
    """Pixels of a part of a photograph that differ between ONNX Runtime and our graph.

    Args:
        path: a quantized model from real numbers, white 1, to real numbers.
        colours: channels of the image.

    Returns:
        Those that differ, all there are, and the standard deviation of ONNX Runtime's.
    """
    image = sample_photograph(DEFAULT_SAMPLE)[96:160, 80:160, :colours]
    graph = picture_graph_of(load_model(path))
    real = model_file(path.read_bytes(), image.astype(np.float32) * _SCALE)
    wanted = np.clip(np.rint(real / _SCALE), 0, 255)
    found = run_layerwise(graph, image.astype(np.int32), KERNELS)
    return int(np.count_nonzero(found != wanted)), wanted.size, float(wanted.std())


def _batch(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (image.astype(np.float32) * _SCALE).transpose(2, 0, 1)[None]


@contextmanager
def _silence() -> Iterator[Any]:
    """The tool advises and warns."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
