"""Weights published by other code bases, renamed and rescaled to the layouts used here.

One foreign layout of EDSR is known. It keeps the mean colour in a buffer and works on pixels 0..1:

====================  =====================  ==========
foreign name          name here              rescaled
====================  =====================  ==========
mean                  sub_mean, add_mean     see below
head.*                head.0.*               bias
body.N.0.*            body.N.body.0.*        bias
body.N.2.*            body.N.body.2.*        bias
body.<last>.*         body.<last>.*          bias
up.0.*                tail.0.0.*             bias
tail.*                tail.1.*               bias
====================  =====================  ==========

A network of convolutions, ReLU, additions and pixel shuffles is positively homogeneous in its
input and its biases together: with every bias (and the mean) multiplied by 255 it maps 255 times
the input to 255 times the output. So no weight changes, and the picture is the same.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_RENAMED = (
    (re.compile(r"head\.(weight|bias)"), r"head.0.\1"),
    (re.compile(r"body\.(\d+)\.([02])\.(weight|bias)"), r"body.\1.body.\2.\3"),
    (re.compile(r"body\.(\d+)\.(weight|bias)"), r"body.\1.\2"),
    (re.compile(r"up\.0\.(weight|bias)"), r"tail.0.0.\1"),
    (re.compile(r"tail\.(weight|bias)"), r"tail.1.\1"),
)


def recognise_layout(state: Mapping[str, Tensor], pixel_range: float) -> dict[str, Tensor]:
    """A state dictionary under the names used here; one that is not recognised stays as it is.

    Args:
        state: tensors by name, as read from a file.
        pixel_range: value of a white pixel in the network to be filled.
    """
    if not {"mean", "head.weight", "up.0.weight", "tail.weight"} <= state.keys():
        return dict(state)
    renamed = {
        _rename(name): value * pixel_range if name.endswith(".bias") else value
        for name, value in state.items()
        if name != "mean"
    }
    mean = state["mean"].flatten() * pixel_range
    identity = torch.eye(len(mean))[:, :, None, None]
    renamed |= {"sub_mean.weight": identity, "sub_mean.bias": -mean}
    renamed |= {"add_mean.weight": identity.clone(), "add_mean.bias": mean}
    return renamed


def _rename(name: str) -> str:
    for pattern, replacement in _RENAMED:
        if pattern.fullmatch(name):
            return pattern.sub(replacement, name)
    return name
