from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from quant.common.errors import UserError
from quant.lowering.execution import Execution
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import (
    FloatAdd,
    FloatConvolution,
    FloatInput,
    FloatPixelShuffle,
)
from quant.lowering.trace import trace
from tests.unit.lowering.small_networks import Net, edsr, picture

Use = Callable[[Net, Tensor], Tensor]


def require_same_function(network: nn.Module, traced: FloatNetwork) -> None:
    """Both in float64, where they differ by rounding alone."""
    image = picture()
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    with torch.no_grad():
        wanted = network.double()(pixels * traced.pixel_range / 255)
    result = Execution(traced, torch.float64).picture(image)
    torch.testing.assert_close(result, wanted, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("settings", [{}, {"residual_scale": 0.1}, {"pixel_range": 1.0}])
def test_an_edsr_keeps_its_function(scale: int, settings: dict[str, Any]) -> None:
    network = edsr(scale=scale, **settings).double()
    traced = trace(network)
    require_same_function(network, traced)
    assert traced.scale() == scale


def test_an_edsr_keeps_its_names_and_loses_its_mean_shifts() -> None:
    traced = trace(edsr(blocks=1, scale=4))
    assert [(node.name, type(node.operator)) for node in traced.nodes] == [
        ("image", FloatInput),
        ("head.0", FloatConvolution),
        ("body.0.body.0", FloatConvolution),
        ("body.0.body.2", FloatConvolution),
        ("body.0.add", FloatAdd),
        ("body.1", FloatConvolution),
        ("add", FloatAdd),
        ("tail.0.0", FloatConvolution),
        ("tail.0.1", FloatPixelShuffle),
        ("tail.0.2", FloatConvolution),
        ("tail.0.3", FloatPixelShuffle),
        ("tail.1", FloatConvolution),
    ]
    image = traced.nodes[0].operator
    assert isinstance(image, FloatInput)
    np.testing.assert_allclose(image.offset, [-114.444, -111.4605, -103.02], rtol=1e-6)
    assert traced.layer_names()[0] == "head.0"
    assert traced.layer_names()[-1] == "tail.1"


SUPPORTED: dict[str, Use] = {
    "relu as a function": lambda net, x: net.last(functional.relu(net.first(x))),
    "relu as a method": lambda net, x: net.last(net.first(x).relu()),
    "relu in place": lambda net, x: net.last(functional.relu(net.first(x), inplace=True)),
    "clamp": lambda net, x: net.last(torch.clamp(net.first(x), -3, max=6.0)),
    "clamp of a clamp": lambda net, x: net.last(
        net.first(x).clamp(-9, 9).clamp(min=2).clamp(max=1)
    ),
    "add as a method": lambda net, x: net.last(net.first(x).add(net.second(net.first(x)))),
    "relu of a sum": lambda net, x: net.last((net.first(x) + net.second(net.first(x))).relu()),
    "x + x": lambda net, x: net.last(net.first(x)) + net.last(net.first(x)),
    "scaled branch": lambda net, x: 0.2 * net.last(net.first(x)) + x,
    "division": lambda net, x: net.last(net.first(x) / 4),
    "constant minus": lambda net, x: 255 - net.last(net.first(x)),
    "buffer": lambda net, x: net.last(net.first(x - net.mean)) + net.mean,
    "normalized image": lambda net, x: (
        net.last(net.first((x - net.mean) / 127.5)) * 127.5 + net.mean
    ),
    "image read twice": lambda net, x: net.last(net.first(x - net.mean)) + x,
    "relu read by others too": lambda net, x: net.last(net.first(x) + net.first(x).relu()),
    "relu after a shuffle": lambda net, x: (
        functional.pixel_shuffle(net.upsampler(net.first(x)), 2).relu().mul(net.mean).div(64)
    ),
    "result that leads nowhere": lambda net, x: _idle(net, x),
    "affine behind a clamp": lambda net, x: net.last(net.first(x).relu() * 0.5 + 1),
    "two affines": lambda net, x: net.last((net.first(x) * 2 + 1) * 3 - 1),
}


def _idle(net: Net, x: Tensor) -> Tensor:
    features: Tensor = net.first(x)
    net.second(features)
    return net.last(features)  # type: ignore[no-any-return]


@pytest.mark.parametrize("case", SUPPORTED)
def test_plain_modules_keep_their_function(case: str) -> None:
    network = Net(SUPPORTED[case]).double()
    require_same_function(network, trace(network))


def test_subclasses_of_modules_are_taken_as_they_are() -> None:
    class Named(nn.Conv2d):
        pass

    network = nn.Sequential(Named(3, 3, 3, padding="same"), nn.Identity(), nn.ReLU6()).double()
    traced = trace(network)
    assert traced.layer_names() == ("0",)
    require_same_function(network, traced)


def test_what_folds_leaves_no_operator_behind() -> None:
    traced = trace(Net(SUPPORTED["normalized image"]).double())
    assert [node.name for node in traced.nodes] == ["image", "first", "last"]
    image = traced.nodes[0].operator
    assert isinstance(image, FloatInput)
    assert image.scale == pytest.approx(1 / 127.5)
    np.testing.assert_allclose(image.offset, np.array([-114.0, -111.0, -103.0]) / 127.5)


def test_a_mean_that_cannot_be_folded_is_a_layer() -> None:
    traced = trace(Net(SUPPORTED["image read twice"]).double())
    assert traced.layer_names() == ("sub", "first", "last")


# What cannot be lowered.


UNSUPPORTED: dict[str, tuple[Use, str]] = {
    "function": (lambda net, x: torch.sin(net.first(x)), "sin at 'sin'"),
    "method": (lambda net, x: net.first(x).exp(), "exp at 'exp'"),
    "difference": (
        lambda net, x: net.first(x) - net.second(net.first(x)),
        "a difference of two feature maps at 'sub'",
    ),
    "mean over the image": (
        lambda net, x: net.first(x).mean((2, 3)),
        "mean (a mean whose count is the image's size, which a graph does not know) at 'mean'",
    ),
    "cat of rows": (
        lambda net, x: torch.cat((net.first(x), net.first(x)), 2),
        "cat along dimension 2 at 'cat'",
    ),
    "fractional resize": (
        lambda net, x: functional.interpolate(net.first(x), scale_factor=1.5),
        "nearest resize by 1.5, no whole number for both directions at 'interpolate'",
    ),
    "bicubic resize": (
        lambda net, x: functional.interpolate(net.first(x), scale_factor=2, mode="bicubic"),
        "bicubic resize at 'interpolate'",
    ),
    "aligned corners": (
        lambda net, x: functional.interpolate(
            net.first(x), scale_factor=2, mode="bilinear", align_corners=True
        ),
        "bilinear resize with align_corners at 'interpolate'",
    ),
    "bilinear by three": (
        lambda net, x: functional.interpolate(net.first(x), scale_factor=3, mode="bilinear"),
        "bilinear resize by 3, whose positions no grid of 2^-10 has at 'interpolate'",
    ),
    "resize to a size": (
        lambda net, x: functional.interpolate(net.first(x), size=(8, 8)),
        "nearest resize to a given size instead of by a factor at 'interpolate'",
    ),
    "split of rows": (
        lambda net, x: torch.split(net.first(x), 2, dim=2)[0],
        "split along dimension 2 at 'split'",
    ),
    "every other channel": (
        lambda net, x: net.first(x)[:, ::2],
        "an index other than a run of channels at 'getitem'",
    ),
    "mirrored border": (
        lambda net, x: functional.pad(net.first(x), (1, 1, 1, 1), mode="reflect"),
        "pad other than with zeros, or of other sides (mode reflect) at 'pad'",
    ),
    "padded pool": (
        lambda net, x: functional.avg_pool2d(net.first(x), 3, 1, 1),
        "an average pool with padding or ceil_mode at 'avg_pool2d'",
    ),
    "odd argument": (
        lambda net, x: torch.add(net.first(x), net.first(x), alpha=2),
        "add with unusual arguments at 'add'",
    ),
    "image-sized constant": (
        lambda net, x: net.first(x) + torch.ones(8, 8),
        "arithmetic with a constant of shape (8, 8) at 'add'",
    ),
    "reciprocal": (lambda net, x: 1 / net.first(x), "division by a feature map at 'truediv'"),
    "several outputs": (
        lambda net, x: (net.first(x), x),  # type: ignore[return-value, dict-item]
        "an output other than one feature map",
    ),
}


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_what_integers_cannot_do_is_named(case: str) -> None:
    use, problem = UNSUPPORTED[case]
    with pytest.raises(UserError) as raised:
        trace(Net(use))
    assert str(raised.value) == (
        "network Net: expected operators that can be lowered to integers, "
        f"found {problem}; replace them"
    )


def test_all_that_is_unsupported_is_named_at_once() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
        nn.Softmax2d(),
        nn.BatchNorm2d(4),
        nn.MaxPool2d(2),
    )
    with pytest.raises(UserError) as raised:
        trace(network)
    assert (
        "found Conv2d with padding_mode circular at '0'; Softmax2d at '1'; BatchNorm2d in training "
        "mode (call eval() first) at '2'; MaxPool2d (a maximum over windows) at '3'; replace them"
    ) in str(raised.value)


@pytest.mark.parametrize(
    ("convolution", "problem"),
    [
        (nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), "Conv2d with padding_mode reflect"),
        (nn.ConvTranspose2d(4, 4, 3, groups=2), "ConvTranspose2d with groups 2"),
        (nn.ConvTranspose2d(3, 3, 3, dilation=2), "ConvTranspose2d with dilation (2, 2)"),
        (nn.ConvTranspose2d(3, 3, 2, padding=2), "ConvTranspose2d with padding (2, 2) beyond its"),
    ],
)
def test_settings_of_a_convolution_are_checked(convolution: nn.Conv2d, problem: str) -> None:
    with pytest.raises(UserError, match="found") as raised:
        trace(nn.Sequential(convolution))
    assert f"found {problem}" in str(raised.value)
    assert str(raised.value).endswith(" at '0'; replace them")


def test_a_forward_that_branches_on_values_is_refused() -> None:
    network = Net(lambda net, x: net.first(x) if x.sum() > 0 else net.first(-x))
    with pytest.raises(
        UserError, match=r"^network Net: expected a forward of modules and operators"
    ):
        trace(network)


def test_a_second_input_is_refused() -> None:
    class Two(nn.Module):
        def forward(self, one: Tensor, two: Tensor) -> Tensor:
            return one + two

    with pytest.raises(UserError, match="found a second input 'two'"):
        trace(Two())


def test_a_network_without_convolutions_is_refused() -> None:
    with pytest.raises(UserError, match="expected a convolution that reads the image, found none"):
        trace(nn.ReLU())


def test_padding_is_part_of_convolutions() -> None:
    padding = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ZeroPad2d(1), nn.ReLU())
    with pytest.raises(UserError, match="zero padding '1': expected only convolutions behind it"):
        trace(padding)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    network = edsr()
    with torch.no_grad():
        next(network.body[0].parameters())[0, 0, 0, 0] = value  # type: ignore[index, union-attr]
    with pytest.raises(UserError, match=r"^network layer 'body\.0\.body\.0': expected finite"):
        trace(network)
