"""From a float network and the encodings of its tensors to the integer graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from quant.common.codes import CodeKind
from quant.common.requantization_modes import DEFAULT_MODE, RequantizationMode, mode_named
from quant.graph import (
    Concatenate,
    Graph,
    Input,
    IntegerType,
    NearestResize,
    Node,
    PixelShuffle,
    verify,
)
from quant.graph.operators import Operator
from quant.lowering.additions import integer_add
from quant.lowering.encodings import (
    IMAGE_BITS,
    MapEncoding,
    WeightEncoding,
    image_encoding,
    picture_encoding,
)
from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import (
    FloatAdd,
    FloatAffine,
    FloatAveragePool,
    FloatBilinear,
    FloatClamp,
    FloatConcatenate,
    FloatFunction,
    FloatInput,
    FloatLayer,
    FloatMultiply,
    FloatNearest,
    FloatOperator,
    FloatPixelShuffle,
    FloatPRelu,
)
from quant.lowering.integer_operators import (
    integer_affine,
    integer_average_pool,
    integer_bilinear,
    integer_coarser_image,
    integer_function,
    integer_layer,
    integer_multiply,
    integer_prelu,
    integer_requantize,
)
from quant.lowering.requantizer import Requantizer
from quant.lowering.storage import REARRANGING, Storage, Store, storages

TABLE_BITS = 12
"""Widest codes a lookup table reads: 4096 entries."""


@dataclass(frozen=True, slots=True, eq=False)
class Encodings:
    """Everything a quantization method decides.

    Attributes:
        inputs: for each convolution, the encoding it reads its feature map in; for those that
            read the image, one that `image_encoding` made.
        weights: for each convolution, its integers.
        streams: for each name in `stream_names`, a signed encoding.
    """

    inputs: Mapping[str, MapEncoding]
    weights: Mapping[str, WeightEncoding]
    streams: Mapping[str, MapEncoding]


def lower(
    network: FloatNetwork,
    encodings: Encodings,
    name: str,
    metadata: Mapping[str, str],
    rounding: str = DEFAULT_MODE,
) -> Graph:
    """The verified integer graph of a folded network.

    Args:
        network: a folded network.
        encodings: how its tensors are encoded.
        name: what the graph calls itself.
        metadata: text to keep with the graph, which also notes the rounding.
        rounding: the mode every sum is requantized in; its engine's addition comes with it.

    Raises:
        UserError: no mode has this name, or it cannot express a layer's widths or scales.
        GraphError: the encodings ask for more than the graph can hold.
    """
    lowering = _Lowering(network, encodings, mode_named(rounding))
    for node in network.nodes:
        lowering.append(node)
    noted = {**metadata, "rounding": rounding}
    return verify(Graph.build(name, lowering.nodes, network.output, noted))


@dataclass(eq=False)
class _Lowering:
    """The graph's nodes so far, and what their codes mean."""

    network: FloatNetwork
    encodings: Encodings
    mode: RequantizationMode
    nodes: list[Node] = field(default_factory=list)
    maps: dict[str, MapEncoding] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    copies: dict[tuple[object, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.storages = storages(self.network)
        self.channels = self.network.channels()

    def append(self, node: FloatNode) -> None:
        """Lower one node; its operands have been lowered before."""
        storage = self.storages[node.name]
        encoding = self._encoding(storage)
        if storage.store is Store.IMAGE:
            self.images.add(node.name)
        inputs = tuple(
            self._operand(node, position, encoding) for position in range(len(node.inputs))
        )
        operator = self._operator(node, [self.maps[name] for name in inputs], encoding)
        self._append(node.name, operator, inputs, encoding, self.channels[node.name])

    def _operator(
        self, node: FloatNode, sources: list[MapEncoding], target: MapEncoding
    ) -> Operator:
        requantizer = Requantizer(self.mode, node.name)
        if isinstance(node.operator, FloatLayer):
            weights = self.encodings.weights[node.name]
            return integer_layer(requantizer, node.operator, weights, sources[0], target)
        if type(node.operator) not in _OPERATORS:
            raise ValueError(f"'{node.name}': {type(node.operator).__name__} in a folded network")
        return _OPERATORS[type(node.operator)](requantizer, node.operator, sources, target)

    def _encoding(self, storage: Storage) -> MapEncoding:
        match storage.store:
            case Store.IMAGE:
                image = self.network.nodes[0].operator
                assert isinstance(image, FloatInput)
                return image_encoding(image, IMAGE_BITS)
            case Store.PICTURE:
                return picture_encoding(self.network)
            case Store.LAYER:
                return self.encodings.inputs[storage.name]
            case Store.STREAM:
                return self.encodings.streams[storage.name]

    def _operand(self, node: FloatNode, position: int, result: MapEncoding) -> str:
        """The feature map a node reads: its operand, or a copy in the encoding it needs."""
        source = node.inputs[position]
        stored = self.maps[source]
        wanted = self._wanted(node, stored, result)
        if _key(wanted) == _key(stored):
            return source
        key = (source, *_key(wanted))
        if key not in self.copies:
            as_image = source in self.images and isinstance(node.operator, FloatLayer)
            make = integer_coarser_image if as_image else integer_requantize
            suffix = str(position) if len(node.inputs) > 1 else ""
            self.copies[key] = f"{node.name}.input{suffix}"
            copy = make(Requantizer(self.mode, node.name), stored, wanted)
            self._append(self.copies[key], copy, (source,), wanted, self.channels[source])
        return self.copies[key]

    def _wanted(self, node: FloatNode, stored: MapEncoding, result: MapEncoding) -> MapEncoding:
        """The encoding in which a node reads its operand; most take any."""
        operator = node.operator
        if isinstance(operator, FloatLayer):
            return self.encodings.inputs[node.name]
        if isinstance(operator, REARRANGING):
            return result
        excess = stored.integer.bits - TABLE_BITS
        if isinstance(operator, FloatFunction) and excess > 0:
            narrow = IntegerType(TABLE_BITS, CodeKind.SIGNED)
            return replace(stored, integer=narrow, scale=stored.scale * 2.0**excess)
        return stored

    def _append(
        self,
        name: str,
        operator: Operator,
        inputs: tuple[str, ...],
        encoding: MapEncoding,
        channels: int,
    ) -> None:
        self.nodes.append(Node(name, operator, inputs, encoding.tensor_type(channels)))
        self.maps[name] = encoding


_Make = Callable[[Requantizer, Any, list[MapEncoding], MapEncoding], Operator]
_OPERATORS: dict[type[FloatOperator], _Make] = {
    FloatInput: lambda *_: Input(),
    FloatAdd: lambda requantizer, add, sources, target: integer_add(
        requantizer, (sources[0], sources[1]), target, add.clamp
    ),
    FloatMultiply: lambda requantizer, multiply, sources, target: integer_multiply(
        requantizer, (sources[0], sources[1]), target, multiply.clamp
    ),
    FloatClamp: lambda requantizer, clamp, sources, target: integer_requantize(
        requantizer, sources[0], target, clamp.clamp
    ),
    FloatAffine: lambda requantizer, affine, sources, target: integer_affine(
        requantizer, affine, sources[0], target
    ),
    FloatPRelu: lambda requantizer, prelu, sources, target: integer_prelu(
        requantizer, prelu, sources[0], target
    ),
    FloatFunction: lambda _, function, sources, target: integer_function(
        function, sources[0], target
    ),
    FloatBilinear: lambda requantizer, resize, sources, target: integer_bilinear(
        requantizer, resize.factor, sources[0], target
    ),
    FloatAveragePool: lambda requantizer, pool, sources, target: integer_average_pool(
        requantizer, pool, sources[0], target
    ),
    FloatConcatenate: lambda *_: Concatenate(),
    FloatNearest: lambda _, resize, sources, target: NearestResize(resize.factor),
    FloatPixelShuffle: lambda _, shuffle, sources, target: PixelShuffle(
        shuffle.factor, shuffle.order
    ),
}
"""(requantizer, float operator, encodings of its operands and result) to the integer operator."""


def _key(encoding: MapEncoding) -> tuple[object, ...]:
    return encoding.integer, encoding.scale, encoding.zero.tobytes()
