"""Weights published by other code bases, renamed and rescaled to the layouts used here.

Files are first unpacked: state dictionaries that lie under a key of their own (``params_ema``,
``params``, ``state_dict``, …) and names with the prefix ``module.`` that data-parallel training
leaves. Then the first layout of the table that recognises the names converts them. What it does is
always exact in real numbers:

* names are mapped one to one;
* a network of convolutions, ReLU, additions and pixel shuffles is positively homogeneous in its
  input and its biases together, so pixels of another range only multiply biases or the first and
  the last convolution;
* the bias of a convolution in front of a batch normalization is taken off the running mean;
* one slope of a PReLU is every channel's slope.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

State = Mapping[str, Tensor]

WRAPPERS = ("params_ema", "params", "state_dict", "model_state_dict", "model")
"""Keys under which published files keep their state dictionary, the one to prefer first."""

_WHITE = 255.0
_RGB_MEAN = (0.4488, 0.4371, 0.4040)  # of BasicSR's EDSR, which keeps it outside its state
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Layout:
    """How one code base names and scales its weights.

    Attributes:
        name: whose it is.
        marks: names that all occur in its files and, together, nowhere else.
        convert: from its state to one of the layouts used here.
    """

    name: str
    marks: frozenset[str]
    convert: Callable[[State], dict[str, Tensor]]


def recognise_layout(state: State) -> dict[str, Tensor]:
    """A state dictionary under the names used here; one that is not recognised stays as it is.

    Args:
        state: tensors by name, as read from a file.
    """
    plain = {name.removeprefix("module."): value for name, value in state.items()}
    for layout in LAYOUTS:
        if layout.marks <= plain.keys():
            try:
                return layout.convert(plain)
            except (KeyError, ValueError, IndexError, RuntimeError):
                break  # only looks like it; what is wrong is told of the names as they are
    return plain


def _renamed(state: State, names: Mapping[str, str]) -> dict[str, Tensor]:
    """Every tensor under its new name; patterns are tried in order and have to fit whole names."""
    patterns = [(re.compile(pattern), replacement) for pattern, replacement in names.items()]

    def new_name(name: str) -> str:
        for pattern, replacement in patterns:
            if pattern.fullmatch(name):
                return pattern.sub(replacement, name)
        return name

    return {new_name(name): value for name, value in state.items()}


def _mean_shifts(mean: Tensor) -> dict[str, Tensor]:
    """The frozen convolutions of EDSR for a mean colour in 0..255."""
    identity = torch.eye(len(mean))[:, :, None, None]
    return {
        "sub_mean.weight": identity,
        "sub_mean.bias": -mean,
        "add_mean.weight": identity.clone(),
        "add_mean.bias": mean.clone(),
    }


def _edsr_with_mean(state: State) -> dict[str, Tensor]:
    """EDSR whose convolutions work on (pixel - mean) / (white / 2); the mean is a buffer."""
    names = {
        r"head\.(weight|bias)": r"head.0.\1",
        r"body\.(\d+)\.([02])\.(weight|bias)": r"body.\1.body.\2.\3",
        r"up\.0\.(weight|bias)": r"tail.0.0.\1",
        r"tail\.(weight|bias)": r"tail.1.\1",
    }
    layers = {name: value for name, value in state.items() if name != "mean"}
    renamed = {
        name: value * (_WHITE / 2) if name.endswith(".bias") else value
        for name, value in _renamed(layers, names).items()
    }
    return renamed | _mean_shifts(state["mean"].flatten() * _WHITE)


def _basicsr_edsr(state: State) -> dict[str, Tensor]:
    """BasicSR's EDSR, whose convolutions work on 0..255 less the mean, as here."""
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("body."))
    names = {
        r"conv_first\.(weight|bias)": r"head.0.\1",
        r"body\.(\d+)\.conv1\.(weight|bias)": r"body.\1.body.0.\2",
        r"body\.(\d+)\.conv2\.(weight|bias)": r"body.\1.body.2.\2",
        r"conv_after_body\.(weight|bias)": rf"body.{blocks}.\1",
        r"upsample\.(\d)\.(weight|bias)": r"tail.0.\1.\2",
        r"conv_last\.(weight|bias)": r"tail.1.\1",
    }
    return _renamed(state, names) | _mean_shifts(torch.tensor(_RGB_MEAN) * _WHITE)


def _mlperf_edsr(state: State) -> dict[str, Tensor]:
    """MLPerf's EDSR: numbered convolutions, and depth to space that has the colour last."""
    layers = {name: value for name, value in state.items() if not name.endswith(".relu")}
    last = sum(name.endswith(".weight") for name in layers) - 1
    blocks = (last - 2) // 2
    names = {r"conv0\.(.*)": r"head.0.\1"}
    for block in range(blocks):
        names[rf"conv{2 * block + 1}\.(.*)"] = rf"body.{block}.body.0.\1"
        names[rf"conv{2 * block + 2}\.(.*)"] = rf"body.{block}.body.2.\1"
    names[rf"conv{last - 1}\.(.*)"] = rf"body.{blocks}.\1"
    names[rf"conv{last}\.(.*)"] = r"tail.0.\1"
    renamed = _renamed(layers, names)
    for name in ("tail.0.weight", "tail.0.bias"):
        # There channel = offset * 3 + colour, a pixel shuffle takes colour * scale^2 + offset.
        by_colour = renamed[name].reshape(-1, 3, *renamed[name].shape[1:]).transpose(0, 1)
        renamed[name] = by_colour.flatten(0, 1)
    return renamed


def _numbered_srresnet(state: State) -> dict[str, Tensor]:
    """SRResNet with numbered layers, from pixels in 0..1 to pixels in -1..1."""
    convolutions = sum(re.fullmatch(r"convolution\d+_weight", name) is not None for name in state)
    slopes = sum(name.startswith("leakyrelu") for name in state)
    blocks = sum(name.endswith("_gamma") for name in state) // 2
    upsamplers = slopes - blocks - 1
    layers = {"convolution0": "head.0", "leakyrelu0": "head.1"}
    for block in range(blocks):
        path = f"body.{block}.body"
        layers |= {
            f"convolution{2 * block + 1}": f"{path}.0",
            f"batchnorm{2 * block}": f"{path}.1",
            f"leakyrelu{block + 1}": f"{path}.2",
            f"convolution{2 * block + 2}": f"{path}.3",
            f"batchnorm{2 * block + 1}": f"{path}.4",
        }
    layers |= {
        f"convolution{2 * blocks + 1}": f"body.{blocks}",
        f"batchnorm{2 * blocks}": f"body.{blocks + 1}",
    }
    for step in range(upsamplers):
        layers[f"convolution{2 * blocks + 2 + step}"] = f"tail.0.{3 * step}"
        layers[f"leakyrelu{blocks + 1 + step}"] = f"tail.0.{3 * step + 2}"
    layers[f"convolution{convolutions - 1}"] = "tail.1"
    names = {
        rf"{layer}_{theirs}": f"{path}.{ours}"
        for layer, path in layers.items()
        for theirs, ours in _NUMBERED_TENSORS.items()
    }
    renamed = _renamed(state, names)
    renamed["head.0.weight"] = renamed["head.0.weight"] / _WHITE
    renamed["tail.1.weight"] = renamed["tail.1.weight"] * (_WHITE / 2)
    renamed["tail.1.bias"] = renamed["tail.1.bias"] * (_WHITE / 2) + _WHITE / 2
    return renamed


_NUMBERED_TENSORS = {
    "weight": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_var": "running_var",
}


def _tutorial_srresnet(state: State) -> dict[str, Tensor]:
    """SRResNet on pixels normalized as for ImageNet, with a tanh at the end."""
    plain = {name.removeprefix("net."): value for name, value in state.items()}
    blocks = 1 + max(int(n.split(".")[1]) for n in plain if n.startswith("residual_blocks."))
    names = {
        r"conv_block1\.conv_block\.0\.(.*)": r"head.0.\1",
        r"conv_block1\.conv_block\.1\.(.*)": r"head.1.\1",
        r"residual_blocks\.(\d+)\.conv_block1\.conv_block\.([012])\.(.*)": r"body.\1.body.\2.\3",
        r"residual_blocks\.(\d+)\.conv_block2\.conv_block\.0\.(.*)": r"body.\1.body.3.\2",
        r"residual_blocks\.(\d+)\.conv_block2\.conv_block\.1\.(.*)": r"body.\1.body.4.\2",
        r"conv_block2\.conv_block\.0\.(.*)": rf"body.{blocks}.\1",
        r"conv_block2\.conv_block\.1\.(.*)": rf"body.{blocks + 1}.\1",
        r"subpixel_convolutional_blocks\.0\.conv\.(.*)": r"tail.0.0.\1",
        r"subpixel_convolutional_blocks\.0\.prelu\.(.*)": r"tail.0.2.\1",
        r"subpixel_convolutional_blocks\.1\.conv\.(.*)": r"tail.0.3.\1",
        r"subpixel_convolutional_blocks\.1\.prelu\.(.*)": r"tail.0.5.\1",
        r"conv_block3\.conv_block\.0\.(.*)": r"tail.1.\1",
    }
    renamed = _edsr_style_srresnet(_renamed(plain, names))
    deviation = torch.tensor(_IMAGENET_DEVIATION)[None, :, None, None]
    renamed["head.0.weight"] = renamed["head.0.weight"] / (_WHITE * deviation)
    shifts = _mean_shifts(torch.tensor(_IMAGENET_MEAN) * _WHITE)
    return renamed | {name: shifts[name] for name in ("sub_mean.weight", "sub_mean.bias")}


def _edsr_style_srresnet(state: State) -> dict[str, Tensor]:
    """SRResNet under the names used here, with one slope for all channels and any biases."""
    result = dict(state)
    channels = len(state["head.0.weight"])
    for name in state:
        layer, _, kind = name.rpartition(".")
        if _is_slope(layer) and kind == "weight":
            result[name] = state[name].expand(channels).clone()
        normalization = f"{_next_layer(layer)}.running_mean"
        if kind == "bias" and state[name].dim() == 1 and normalization in state:
            result[normalization] = state[normalization] - result.pop(name)
    for layer in ("head.0", "tail.0.0", "tail.0.3", "tail.1"):
        weight = state.get(f"{layer}.weight")
        if weight is not None and f"{layer}.bias" not in state:
            result[f"{layer}.bias"] = torch.zeros(len(weight))
    return result


def _is_slope(layer: str) -> bool:
    return re.fullmatch(r"head\.1|body\.\d+\.body\.2|tail\.0\.[25]", layer) is not None


def _next_layer(layer: str) -> str:
    path, _, number = layer.rpartition(".")
    return f"{path}.{int(number) + 1}" if number.isdigit() else ""


LAYOUTS = (
    Layout(
        "EDSR with a mean buffer",
        frozenset({"mean", "head.weight", "up.0.weight", "tail.weight"}),
        _edsr_with_mean,
    ),
    Layout(
        "BasicSR's EDSR",
        frozenset({"conv_first.weight", "conv_after_body.weight", "upsample.0.weight"}),
        _basicsr_edsr,
    ),
    Layout("MLPerf's EDSR", frozenset({"conv0.weight", "conv0.relu"}), _mlperf_edsr),
    Layout(
        "SRResNet with numbered layers",
        frozenset({"convolution0_weight", "leakyrelu0_weight", "batchnorm0_gamma"}),
        _numbered_srresnet,
    ),
    Layout(
        "SRResNet of the PyTorch tutorial",
        frozenset({"conv_block1.conv_block.0.weight", "conv_block3.conv_block.0.weight"}),
        _tutorial_srresnet,
    ),
    Layout(
        "generator of the PyTorch tutorial",
        frozenset({"net.conv_block1.conv_block.0.weight", "net.conv_block3.conv_block.0.weight"}),
        _tutorial_srresnet,
    ),
    Layout(
        "SRResNet in EDSR's style",
        frozenset({"head.1.weight", "body.0.body.1.running_mean"}),
        _edsr_style_srresnet,
    ),
)
"""The known layouts; EDSR-PyTorch's EDSR and RDN, BasicSR's MSRResNet and the SRGAN generator have
the names used here."""
