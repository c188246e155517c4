"""Weights published by other code bases, renamed and rescaled to the layouts used here.

One foreign layout of EDSR is known. It keeps the mean colour (as a part of white) in a buffer, and
its convolutions work on pixels with the mean subtracted and divided by half of white:

====================  =====================  =================
foreign name          name here              times
====================  =====================  =================
mean                  sub_mean, add_mean     white, sign
head.*                head.0.*               biases: white / 2
body.N.0.*            body.N.body.0.*        biases: white / 2
body.N.2.*            body.N.body.2.*        biases: white / 2
body.<last>.*         body.<last>.*          biases: white / 2
up.0.*                tail.0.0.*             biases: white / 2
tail.*                tail.1.*               biases: white / 2
====================  =====================  =================

A network of convolutions, ReLU, additions and pixel shuffles is positively homogeneous in its
input and its biases together: with every bias multiplied by 127.5 it maps 127.5 times the input to
127.5 times the output. So no weight changes, and the picture is the same.
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
        _rename(name): value * (pixel_range / 2) if name.endswith(".bias") else value
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
