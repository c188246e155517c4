"""A TensorFlow Lite network of 16-bit feature maps and 8-bit weights, with random weights."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tflite

from quant.interchange.tflite_flatbuffer import Operator, Tensor, model_bytes

_CODES = tflite.BuiltinOperator
SIZE = (12, 16)


@dataclass(eq=False)
class _Builder:
    random: np.random.Generator
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)

    def map(self, name: str, channels: int, scale: float, factor: int = 1) -> Tensor:
        height, width = (side * factor for side in SIZE)
        scales = np.array([scale], np.float32)
        made = Tensor(name, (1, height, width, channels), np.int16, scales, 0)
        self.tensors.append(made)
        return made

    def constants(
        self, name: str, shape: tuple[int, ...], source: Tensor, fan_in: int
    ) -> list[str]:
        """Weights that keep the spread of the codes, and a bias."""
        values = self.random.integers(-127, 128, shape, np.int8)
        scales = (self.random.uniform(0.7, 1.4, shape[0]) / (73 * fan_in**0.5)).astype(np.float32)
        assert source.scales is not None
        bias = self.random.integers(-200_000, 200_000, shape[0])
        self.tensors += [
            Tensor(f"{name}.weight", shape, np.int8, scales, 0, values),
            Tensor(f"{name}.bias", (shape[0],), np.int64, source.scales * scales, 0, bias),
        ]
        return [f"{name}.weight", f"{name}.bias"]

    def convolution(self, name: str, source: Tensor, channels: int, *, relu: bool) -> Tensor:
        inputs = source.shape[3]
        constants = self.constants(name, (channels, 3, 3, inputs), source, 9 * inputs)
        made = self.map(name, channels, float(self.random.uniform(2, 4)) * 1e-4)
        settings = {
            "Padding": tflite.Padding.SAME, "StrideH": 1, "StrideW": 1, "DilationHFactor": 1,
            "DilationWFactor": 1, "FusedActivationFunction": int(relu),
        }  # fmt: skip
        read = [source.name, *constants]
        self.operator(_CODES.CONV_2D, 5, read, made, tflite.Conv2DOptions, settings)
        return made

    def operator(
        self, code: int, version: int, read: list[str], made: Tensor, table: Any, settings: Any
    ) -> None:
        self.operators.append(Operator(code, version, read, [made.name], table, settings))


def wide_network(random: np.random.Generator, blocks: int = 3, channels: int = 16) -> bytes:
    """Residual blocks with leaky ReLU, and a transposed convolution that enlarges by two."""
    builder = _Builder(random)
    stream = builder.convolution("head", builder.map("image", 3, 3e-4), channels, relu=False)
    for block in range(blocks):
        inner = builder.convolution(f"block{block}.0", stream, channels, relu=True)
        inner = builder.convolution(f"block{block}.1", inner, channels, relu=False)
        curved = builder.map(f"block{block}.act", channels, 3.3e-4)
        builder.operator(
            _CODES.LEAKY_RELU, 2, [inner.name], curved, tflite.LeakyReluOptions, {"Alpha": 0.2}
        )
        total = builder.map(f"block{block}.add", channels, 3.7e-4)
        builder.operator(
            _CODES.ADD, 4, [stream.name, curved.name], total, tflite.AddOptions,
            {"PotScaleInt16": 0},
        )  # fmt: skip
        stream = total
    constants = builder.constants("tail", (3, 4, 4, channels), stream, 4 * channels)
    out = builder.map("tail", 3, 3e-4, 2)
    shape = Tensor("shape", (4,), np.int32, values=np.array(out.shape, np.int32))
    builder.tensors.append(shape)
    weight, bias = constants
    settings = {"Padding": tflite.Padding.SAME, "StrideH": 2, "StrideW": 2}
    builder.operator(
        _CODES.TRANSPOSE_CONV, 4, ["shape", weight, stream.name, bias], out,
        tflite.TransposeConvOptions, settings,
    )  # fmt: skip
    return model_bytes(builder.tensors, builder.operators, ["image"], [out.name])
