"""SCALE-Sim's inputs: topologies of convolutions and of matrix products, machine and layout.

Formats of SCALE-Sim 3.0.0 (``topology_utils.py``, ``scale_config.py``, ``layout_utils.py``), of
which version 2 reads all but the layout.
"""

from hwsim.export.layers import ConvolutionLayer, convolution_layers
from hwsim.export.request import ExportRequest, Files, write_text

CONVOLUTIONS, PRODUCTS, LAYOUT, MACHINE = "conv.csv", "gemm.csv", "layout.csv", "machine.cfg"

_CONVOLUTION_HEADER = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,"
)
_PRODUCT_HEADER = "Layer, M, N, K,"
_LAYOUT_COLUMNS = 20
_DATAFLOWS = {"weight_stationary": "ws", "input_stationary": "is"}
"""SCALE-Sim's names of what an array holds; all other kinds hold outputs."""
_DEPTHWISE = "DP"
"""SCALE-Sim takes a layer with these letters in its name for a depthwise one."""


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write a folder that SCALE-Sim runs with its options -c, -t and -l."""
    layers = convolution_layers(request.graph, request.size)
    convolutions = [row for layer in layers for row in _convolution_rows(layer)]
    products = [row for layer in layers for row in _product_rows(layer)]
    write_text(files, CONVOLUTIONS, _table(_CONVOLUTION_HEADER, convolutions))
    write_text(files, PRODUCTS, _table(_PRODUCT_HEADER, products))
    ones = [(row[0], *[1] * _LAYOUT_COLUMNS) for row in convolutions]
    write_text(files, LAYOUT, _table("Layer," + " order," * _LAYOUT_COLUMNS, ones))
    write_text(files, MACHINE, _machine(request))


Row = tuple[str | int, ...]


def _convolution_rows(layer: ConvolutionLayer) -> list[Row]:
    """A row for each group, padding counted to the image.

    SCALE-Sim knows no dilation and one stride for both directions: a layer with others is written
    as the matrix product it is, 1×1 filters over as many channels as products are summed.
    """
    rows, columns = layer.kernel
    plain = layer.stride[0] == layer.stride[1] and layer.dilation == (1, 1)
    if plain:
        height = layer.input.height + layer.padding.rows
        width = layer.input.width + layer.padding.columns
        channels, stride = layer.in_channels // layer.groups, layer.stride[0]
    else:
        height, width = layer.output.height, layer.output.width
        rows, columns, channels, stride = 1, 1, layer.window, 1
    return [
        (name, height, width, rows, columns, channels, layer.filters, stride)
        for name in _names(layer)
    ]


def _product_rows(layer: ConvolutionLayer) -> list[Row]:
    """M output pixels, N filters, K products of an output, for each group."""
    return [(name, layer.output.pixels, layer.filters, layer.window) for name in _names(layer)]


def _names(layer: ConvolutionLayer) -> list[str]:
    """A name for each group, without what SCALE-Sim would take for a sign."""
    plain = layer.name.replace(",", "_").replace(_DEPTHWISE, _DEPTHWISE.lower())
    if layer.groups == 1:
        return [plain]
    return [f"{plain}.group{group}" for group in range(layer.groups)]


def _table(header: str, rows: list[Row]) -> str:
    return "\n".join([header, *(", ".join(map(str, row)) + "," for row in rows)]) + "\n"


def _machine(request: ExportRequest) -> str:
    """The machine's array; its SRAM in three parts of a third, which SCALE-Sim tells apart."""
    accelerator = request.accelerator
    array, part = accelerator.array, max(1, accelerator.sram.size_kib // 3)
    dram = accelerator.dram
    words = max(1, round(dram.bandwidth_gb_per_s * 1e3 / accelerator.clock_mhz))
    return _CONFIGURATION.format(
        name=request.machine_name,
        rows=array.rows,
        columns=array.columns,
        part=part,
        dataflow=_DATAFLOWS.get(array.dataflow, "os"),
        words=words,
    )


_CONFIGURATION = """\
[general]
run_name = {name}

[run_presets]
InterfaceBandwidth = CALC
UseRamulatorTrace = False

[architecture_presets]
ArrayHeight = {rows}
ArrayWidth = {columns}
IfmapSramSzkB = {part}
FilterSramSzkB = {part}
OfmapSramSzkB = {part}
IfmapOffset = 0
FilterOffset = 10000000
OfmapOffset = 20000000
Dataflow = {dataflow}
Bandwidth = {words}
ReadRequestBuffer = 32
WriteRequestBuffer = 32
MemoryBanks = 1

[layout]
IfmapCustomLayout = False
IfmapSRAMBankBandwidth = 10
IfmapSRAMBankNum = 10
IfmapSRAMBankPort = 2
FilterCustomLayout = False
FilterSRAMBankBandwidth = 10
FilterSRAMBankNum = 10
FilterSRAMBankPort = 2

[sparsity]
SparsitySupport = False
"""
"""Every key is one that SCALE-Sim 3 asks for; the layout is not used with these settings."""
