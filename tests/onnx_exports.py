"""Torch networks as ONNX files, by torch's exporter."""

import io
import warnings
from pathlib import Path

import torch
from torch import nn

SIZE = (24, 32)


def export(network: nn.Module, path: Path, *, opset: int = 17, colours: int = 3) -> Path:
    """Write a network for images of any size.

    Args:
        network: takes and gives one image.
        path: the file.
        opset: version of ONNX's operators.
        colours: channels of the image.
    """
    image = torch.rand(1, colours, *SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its successor
        content = io.BytesIO()
        torch.onnx.export(
            network, (image,), content, dynamo=False, opset_version=opset,
            input_names=["image"], output_names=["picture"],
            dynamic_axes={"image": {2: "height", 3: "width"}},
        )  # fmt: skip
    path.write_bytes(content.getvalue())
    return path
