"""The convolutions of a graph as loop nests, for tools that know nothing else of a network."""

from dataclasses import dataclass

from hwsim.schedule.expansion import expanded
from quant.graph import (
    Convolution,
    Graph,
    GraphError,
    Node,
    Padding,
    Size,
    TensorType,
    TransposedConvolution,
)


@dataclass(frozen=True, slots=True)
class ConvolutionLayer:
    """One convolution for one image.

    Attributes:
        name: of its node.
        source: position of the convolution whose result it reads, other operators between them
            passed over; None: the image's.
        input: height and width of what it reads.
        output: height and width of what it makes.
        in_channels: of all groups.
        out_channels: of all groups.
        groups: each reads channels of its own.
        kernel: rows and columns.
        stride: rows and columns.
        dilation: rows and columns.
        padding: around the input.
        weight_bits: of a weight.
        activation_bits: of a code that it reads.
        output_bits: of a code that it makes.
    """

    name: str
    source: int | None
    input: Size
    output: Size
    in_channels: int
    out_channels: int
    groups: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: Padding
    weight_bits: int
    activation_bits: int
    output_bits: int

    @property
    def window(self) -> int:
        """Products summed for one output."""
        return self.kernel[0] * self.kernel[1] * self.in_channels // self.groups

    @property
    def filters(self) -> int:
        """Output channels of a group."""
        return self.out_channels // self.groups

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations."""
        return self.output.pixels * self.window * self.out_channels


def convolution_layers(graph: Graph, image: Size) -> list[ConvolutionLayer]:
    """Every convolution, transposed ones and average pools as what they become.

    Args:
        graph: a verified graph.
        image: height and width of the input.

    Raises:
        GraphError: there is none, or a transposed one that becomes no convolution.
    """
    whole = expanded(graph)
    sizes, types = whole.sizes(image), {node.name: node.output for node in whole.nodes}
    made_by: dict[str, int | None] = {}
    layers: list[ConvolutionLayer] = []
    for node in whole.nodes:
        sources = [made_by[name] for name in node.inputs]
        known = [source for source in sources if source is not None]
        latest = max(known, default=None)
        match node.operator:
            case TransposedConvolution():
                raise GraphError(
                    f"node '{node.name}': expected a transposed convolution that a convolution and "
                    "a pixel shuffle make, found another; give one of equal strides"
                )
            case Convolution() as convolution:
                made_by[node.name] = len(layers)
                layers.append(_layer(node, convolution, sources[0], sizes, types))
            case _:
                made_by[node.name] = latest
    if not layers:
        raise GraphError(f"graph '{graph.name}': expected convolutions, found none; give another")
    return layers


def _layer(
    node: Node,
    convolution: Convolution,
    source: int | None,
    sizes: dict[str, Size],
    types: dict[str, TensorType],
) -> ConvolutionLayer:
    return ConvolutionLayer(
        node.name,
        source,
        sizes[node.inputs[0]],
        sizes[node.name],
        convolution.in_channels,
        convolution.out_channels,
        convolution.groups,
        convolution.kernel,
        convolution.stride,
        convolution.dilation,
        convolution.padding,
        convolution.weight_type.bits,
        types[node.inputs[0]].integer.bits,
        node.output.integer.bits,
    )
