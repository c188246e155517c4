"""The bits of each layer as strips of colours, and as a table."""

from hwsim.report.page.blocks import Block, Cell, Row, Strips, Table
from hwsim.report.page.strips import bit_strips, bit_swatches
from hwsim.report.result import Layer, Result


def bits_blocks(result: Result) -> tuple[Block, ...]:
    """The layers that have weights; the table has all of them."""
    layers = [layer for layer in result.layers if layer.weight_bits is not None]
    widths = {layer.name: (layer.weight_bits, layer.activation_bits) for layer in layers}
    used = [width for pair in widths.values() for width in pair if width is not None]
    words = (
        f"Bits of weights and of input activations of the {len(layers)} layers with weights, in "
        f"order. Mean: {result.weight_average_bits:.2f} of weights, "
        f"{result.feature_average_bits:.2f} of features."
    )
    return Strips(words, bit_strips(widths, bit_swatches(used))), _table(result)


def _table(result: Result) -> Table:
    rows = tuple(
        Row((Cell(layer.name, below=layer.operator), _weight_bits(layer),
             Cell(str(layer.activation_bits), layer.activation_bits)))
        for layer in result.layers
    )  # fmt: skip
    columns = ("layer", "weights [bits]", "input activations [bits]")
    return Table("Bits of each layer", columns, rows, folded=True)


def _weight_bits(layer: Layer) -> Cell:
    if layer.weight_bits is None:
        return Cell("–")
    return Cell(str(layer.weight_bits), layer.weight_bits)
