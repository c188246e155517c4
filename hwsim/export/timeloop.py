"""Timeloop's problems: a file for every convolution, with its precisions as variables.

Shape and names of dimensions are those of Timeloop's own convolution problems: R and S are columns
and rows of the kernel, P and Q of the output, C and M input and output channels of a group, G
groups, N images. Precisions are variables, because Timeloop takes them from the architecture:
``word_bits: weight_bits`` there gives a memory words of the layer's width.
"""

from typing import Any

from hwsim.export.layers import ConvolutionLayer, convolution_layers
from hwsim.export.request import ExportRequest, Files, write_yaml

VERSION = 0.4

_SHAPE: dict[str, Any] = {
    "name": "convolution",
    "dimensions": ["G", "C", "M", "R", "S", "N", "P", "Q"],
    "coefficients": [
        {"name": name, "default": 1} for name in ("Wstride", "Hstride", "Wdilation", "Hdilation")
    ],
    "data_spaces": [
        {"name": "Weights", "projection": [[["G"]], [["C"]], [["M"]], [["R"]], [["S"]]]},
        {
            "name": "Inputs",
            "projection": [
                [["N"]],
                [["G"]],
                [["C"]],
                [["R", "Wdilation"], ["P", "Wstride"]],
                [["S", "Hdilation"], ["Q", "Hstride"]],
            ],
        },
        {
            "name": "Outputs",
            "projection": [[["N"]], [["G"]], [["M"]], [["Q"]], [["P"]]],
            "read_write": True,
        },
    ],
}


def write(request: ExportRequest, name: str, files: Files) -> None:
    """Write a problem for each convolution, numbered in order."""
    layers = convolution_layers(request.graph, request.size)
    digits = len(str(len(layers) - 1))
    for index, layer in enumerate(layers):
        plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in layer.name)
        content = _problem(layer, request.accelerator.array.accumulator_bits)
        comment = f"{layer.name} of {request.graph.name}, image of {request.size}"
        write_yaml(files, f"{index:0{digits}}_{plain}.yaml", content, comment)


def _problem(layer: ConvolutionLayer, sum_bits: int) -> dict[str, Any]:
    instance = {
        "N": 1,
        "G": layer.groups,
        "C": layer.in_channels // layer.groups,
        "M": layer.filters,
        "P": layer.output.width,
        "Q": layer.output.height,
        "R": layer.kernel[1],
        "S": layer.kernel[0],
        "Wstride": layer.stride[1],
        "Hstride": layer.stride[0],
        "Wdilation": layer.dilation[1],
        "Hdilation": layer.dilation[0],
    }
    return {
        "problem": {"version": VERSION, "shape": _SHAPE, "instance": instance},
        "variables": {
            "version": VERSION,
            "weight_bits": layer.weight_bits,
            "activation_bits": layer.activation_bits,
            "output_bits": layer.output_bits,
            "sum_bits": max(sum_bits, layer.output_bits),
        },
    }
