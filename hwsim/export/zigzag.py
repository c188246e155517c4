"""ZigZag's workload: loop bounds and precisions of every convolution.

Format of ZigZag 3.9 (``workload_validator.py``). Operators between convolutions are passed over:
what a convolution reads is said to come from the convolution before them.
"""

from typing import Any

from hwsim.export.layers import ConvolutionLayer, convolution_layers
from hwsim.export.request import ExportRequest, Files, write_yaml

_EQUATION = "O[b][g][k][oy][ox]+=W[g][k][c][fy][fx]*I[b][g][c][iy][ix]"


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write the workload of a graph for one image."""
    sums = request.accelerator.array.accumulator_bits
    layers = convolution_layers(request.graph, request.size)
    content = [_layer(index, layer, sums) for index, layer in enumerate(layers)]
    comment = f"{request.graph.name}, image of {request.size}: a ZigZag workload"
    write_yaml(files, name, content, comment)


def _layer(index: int, layer: ConvolutionLayer, sum_bits: int) -> dict[str, Any]:
    (rows, columns), padding = layer.kernel, layer.padding
    loops = {
        "B": 1,
        "G": layer.groups,
        "K": layer.filters,
        "C": layer.in_channels // layer.groups,
        "OY": layer.output.height,
        "OX": layer.output.width,
        "FY": rows,
        "FX": columns,
    }
    return {
        "id": index,
        "name": layer.name,
        "operator_type": "Conv",
        "equation": _EQUATION,
        "dimension_relations": [
            f"ix={layer.stride[1]}*ox+{layer.dilation[1]}*fx",
            f"iy={layer.stride[0]}*oy+{layer.dilation[0]}*fy",
        ],
        "loop_dims": list(loops),
        "loop_sizes": list(loops.values()),
        "pr_loop_dims": ["IX", "IY"],
        "pr_loop_sizes": [layer.input.width, layer.input.height],
        "padding": [[padding.left, padding.right], [padding.top, padding.bottom]],
        "operand_precision": {
            "W": layer.weight_bits,
            "I": layer.activation_bits,
            "O": max(sum_bits, layer.output_bits),
            "O_final": layer.output_bits,
        },
        "operand_source": {"I": index if layer.source is None else layer.source, "W": index},
    }
