"""From a float network and the encodings of its tensors to the integer graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quant.common.requantization_modes import DEFAULT_MODE, RequantizationMode, mode_named
from quant.graph import (
    Graph,
    Input,
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
from quant.lowering.float_network import (
    FloatAdd,
    FloatAffine,
    FloatClamp,
    FloatConvolution,
    FloatInput,
    FloatNetwork,
    FloatNode,
    FloatPixelShuffle,
)
from quant.lowering.integer_operators import (
    integer_coarser_image,
    integer_convolution,
    integer_requantize,
)
from quant.lowering.requantizer import Requantizer
from quant.lowering.storage import Storage, Store, storages


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
    copies: dict[tuple[object, ...], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.storages = storages(self.network)
        self.channels = self.network.channels()

    def append(self, node: FloatNode) -> None:
        """Lower one node; its operands have been lowered before."""
        encoding = self._encoding(self.storages[node.name])
        inputs = node.inputs
        if isinstance(node.operator, FloatConvolution):
            inputs = (self._layer_input(node),)
        operator = self._operator(node, [self.maps[name] for name in inputs], encoding)
        self._append(node.name, operator, inputs, encoding, self.channels[node.name])

    def _operator(
        self, node: FloatNode, sources: list[MapEncoding], target: MapEncoding
    ) -> Operator:
        requantizer = Requantizer(self.mode, node.name)
        match node.operator:
            case FloatInput():
                return Input()
            case FloatConvolution() as convolution:
                weights = self.encodings.weights[node.name]
                return integer_convolution(requantizer, convolution, weights, sources[0], target)
            case FloatAdd(clamp=clamp):
                first, second = sources
                return integer_add(requantizer, (first, second), target, clamp)
            case FloatClamp(clamp=clamp):
                return integer_requantize(requantizer, sources[0], target, clamp)
            case FloatPixelShuffle(factor=factor):
                return PixelShuffle(factor)
            case FloatAffine():
                raise ValueError(f"'{node.name}': expected a folded network, found an affine map")

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

    def _layer_input(self, node: FloatNode) -> str:
        """The feature map a convolution reads: its operand, or a copy in its own encoding."""
        (source,) = node.inputs
        stored, wanted = self.maps[source], self.encodings.inputs[node.name]
        store = self.storages[source].store
        if store is Store.LAYER or (store is Store.IMAGE and wanted.integer == stored.integer):
            return source
        key = (source, wanted.integer, wanted.scale, wanted.zero.tobytes())
        if key not in self.copies:
            make = integer_coarser_image if store is Store.IMAGE else integer_requantize
            self.copies[key] = f"{node.name}.input"
            copy = make(Requantizer(self.mode, node.name), stored, wanted)
            self._append(self.copies[key], copy, (source,), wanted, self.channels[source])
        return self.copies[key]

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
