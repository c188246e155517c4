"""A graph of unsigned 8-bit codes on torch's quantized operators, for timing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from quant.graph import Add, Convolution, Graph, Input, Node, PixelShuffle
from quant.interchange.expressible import engine_weight_scales


class QuantizedNetwork:
    """The graph's operators as calls of torch; biases are left out, which torch adds in float."""

    def __init__(self, graph: Graph, engine: str) -> None:
        self.graph = graph
        self.engine = engine
        torch.backends.quantized.engine = engine
        self.packed = {node.name: self._packed(node) for node in graph.convolutions()}

    def call_on(self, pixels: NDArray[np.int32]) -> Callable[[], object]:
        """A call that runs the network on an image [height, width, channels]."""
        encoding = self.graph.input.output.encoding
        image = torch._make_per_tensor_quantized_tensor(
            torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.uint8)),
            encoding.scale,
            encoding.zero_point[0],
        ).contiguous(memory_format=torch.channels_last)

        def call() -> object:
            torch.backends.quantized.engine = self.engine
            maps: dict[str, Any] = {}
            for node in self.graph.nodes:
                maps[node.name] = self._result(node, [maps[name] for name in node.inputs], image)
            return maps[self.graph.output]

        return call

    def _packed(self, node: Node) -> Any:
        convolution = node.operator
        assert isinstance(convolution, Convolution)
        source = self.graph.node(node.inputs[0]).output
        scales = engine_weight_scales(node, convolution, source, "onnxruntime")
        weight = torch._make_per_channel_quantized_tensor(
            torch.from_numpy(convolution.weight.transpose(0, 3, 1, 2).astype(np.int8)),
            torch.from_numpy(scales.astype(np.float64)),
            torch.zeros(len(scales), dtype=torch.int64),
            0,
        )
        padding = [convolution.padding.top, convolution.padding.left]
        return torch.ops.quantized.conv2d_prepack(weight, None, [1, 1], padding, [1, 1], 1)

    def _result(self, node: Node, operands: list[Any], image: Any) -> Any:
        scale, (zero,) = node.output.encoding.scale, node.output.encoding.zero_point
        match node.operator:
            case Input():
                return image
            case Convolution():
                packed = self.packed[node.name]
                return torch.ops.quantized.conv2d(operands[0], packed, scale, zero)
            case Add():
                return torch.ops.quantized.add(operands[0], operands[1], scale, zero)
            case PixelShuffle(factor=factor):
                shuffled = torch.nn.functional.pixel_shuffle(operands[0], factor)
                return shuffled.contiguous(memory_format=torch.channels_last)
            case _:
                raise ValueError(f"no torch operator for {node.operator.kind}")
