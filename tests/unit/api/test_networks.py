"""Networks by name, from files and from torch, and their integers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import hwsim.api as hw
from hwsim.identity import graph_identity
from quant.common.errors import UserError
from quant.graph import Graph
from quant.imaging import write_png
from quant.methods import MinMax, quantize
from quant.policy import BitPolicy
from tests.unit.lowering.small_networks import picture


def test_a_network_is_loaded_by_name_and_a_graph_from_a_file(
    graph: Graph, graph_file: Path
) -> None:
    network = hw.load("mobile_sr_x2", random_weights=3)

    assert isinstance(network, nn.Module)
    assert graph_identity(hw.load(graph_file)) == graph_identity(graph)  # type: ignore[arg-type]


def test_integers_are_those_of_the_method(network: nn.Module) -> None:
    made = hw.quantize(network, bits="w4a6", calibration=[picture()], name="small")
    wanted = quantize(network, "minmax", BitPolicy.parse("w4a6"), [picture()], "small")

    assert graph_identity(made) == graph_identity(wanted)


@pytest.mark.parametrize(
    "given",
    [
        {"bits": BitPolicy.parse("w8a8"), "method": MinMax(), "name": "small"},
        {"bits": "w8a8", "rounding": "half_up", "name": "small"},
        {"accelerator": "edge_npu", "name": "small"},
    ],
)
def test_what_is_given_may_be_a_name_or_the_thing(
    network: nn.Module, graph: Graph, given: dict[str, Any]
) -> None:
    made = hw.quantize(network, calibration=[picture()], **given)

    assert graph_identity(made) == graph_identity(graph)


def test_a_network_in_torch_is_called_after_its_class(network: nn.Module) -> None:
    made = hw.quantize(network, calibration=[picture()])

    assert made.name == "edsr"


def test_the_rounding_is_the_accelerators_unless_another_is_given(network: nn.Module) -> None:
    machine = hw.accelerator("tiny_npu", {"requantizer.rounding": "tflite_single"})
    taken = hw.quantize(network, accelerator=machine, calibration=[picture()])
    given = hw.quantize(network, accelerator=machine, calibration=[picture()], rounding="half_up")

    assert taken.metadata["rounding"] == "tflite_single"
    assert given.metadata["rounding"] == "half_up"


def test_calibration_may_be_a_folder(network: nn.Module, graph: Graph, tmp_path: Path) -> None:
    write_png(tmp_path / "one.png", picture())

    made = hw.quantize(network, calibration=tmp_path, name="small")

    assert graph_identity(made) == graph_identity(graph)


def test_a_network_that_does_not_say_its_scale_is_looked_at(network: nn.Module) -> None:
    class Silent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 27, 3, padding=1)
            self.shuffle = nn.PixelShuffle(3)

        def forward(self, image: Any) -> Any:
            return self.shuffle(self.layer(image))

    made = hw.quantize(Silent().eval(), calibration=[np.full((9, 9, 3), 7, np.uint8)])

    assert (made.name, int(made.scale())) == ("silent", 3)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: hw.load("edsr_tiny_x3"), "network 'edsr_tiny_x3': expected a known network or a"),
        (
            lambda: hw.load("a/b.hwgraph", random_weights=1),
            "a/b.hwgraph has weights of its own; leave out weights and random_weights",
        ),
        (lambda: hw.quantize("no.hwgraph"), "no.hwgraph: "),
        (
            lambda: hw.load("mobile_sr_x2", pixel_range=1.0),
            "network 'mobile_sr_x2' knows what a white pixel is; leave out pixel_range",
        ),
        (
            lambda: hw.estimate("model.pt"),
            "model.pt: expected a network, found a pickle, which can run any code when it is read",
        ),
        (
            lambda: hw.quantize("mobile_sr_x2", bits="w4"),
            "bits 'w4': expected weight and activation bits such as 'w4a8'",
        ),
        (
            lambda: hw.quantize("mobile_sr_x2", calibration="nowhere"),
            "nowhere: expected a folder of pictures, found none; check the path",
        ),
        (lambda: hw.names("network"), "names 'network': no such kind; did you mean 'networks'"),
    ],
)
def test_what_is_wrong_is_one_sentence(call: Any, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        call()
    assert sentence in str(caught.value)


def test_a_graph_is_quantized_already(graph: Graph, graph_file: Path) -> None:
    with pytest.raises(UserError, match="graph 'small' is quantized already; give the float"):
        hw.quantize(graph)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"small.hwgraph is quantized already; give the float"):
        hw.quantize(graph_file)
    with pytest.raises(UserError, match="graph 'small' is quantized already; leave out bits"):
        hw.estimate(graph, bits="w4a4")


def test_a_network_in_torch_takes_no_weights(network: nn.Module) -> None:
    with pytest.raises(UserError, match="a network in torch has weights of its own; leave out"):
        hw.quantize(network, random_weights=1)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 12, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, image: Any) -> Any:
        return self.shuffle(self.layer(image))


@pytest.fixture(scope="module")
def small() -> nn.Module:
    return Small().eval()


@pytest.fixture(scope="module")
def exported(small: nn.Module) -> Any:
    return torch.export.export(small, (torch.zeros(1, 3, 9, 9),))


@pytest.fixture(scope="module")
def exported_file(exported: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "small.pt2"
    torch.export.save(exported, path)
    return path


def test_exported_programs_files_and_what_was_read_are_the_same_network(
    exported: Any, exported_file: Path
) -> None:
    given = [exported, exported_file, hw.load(exported_file)]
    made = [hw.quantize(each, calibration=[picture()], name="small") for each in given]

    assert len({graph_identity(graph) for graph in made}) == 1
    assert made[0].name == "small"


def test_a_white_pixel_is_what_is_said(
    small: nn.Module, exported: Any, exported_file: Path
) -> None:
    wide: dict[str, Any] = {"pixel_range": 255.0, "calibration": [picture()], "name": "small"}
    loaded = hw.load(exported_file, pixel_range=255.0)
    given: list[Any] = [exported, exported_file, loaded, small]
    made = [hw.quantize(each, **wide) for each in given]
    narrow = hw.quantize(exported, calibration=[picture()], name="small")

    assert len({graph_identity(graph) for graph in made}) == 1
    assert graph_identity(narrow) != graph_identity(made[0])
    with pytest.raises(UserError, match="was loaded with a white pixel of 255; give pixel_range 1"):
        hw.quantize(loaded, pixel_range=1.0)  # type: ignore[arg-type]


def test_a_float_file_is_priced_run_and_compared(exported_file: Path) -> None:
    image = picture()
    costs = hw.estimate(exported_file, input_size=(24, 32), calibration=[image])
    run = hw.run(exported_file, image=image, calibration=[image])
    rows = hw.compare(str(exported_file), input_size=(24, 32)).rows

    assert costs.macs == 24 * 32 * 12 * 27
    assert run.result.bit_exact is not None
    height, width, _ = image.shape
    assert run.result.bit_exact.mismatches == 0
    assert run.output.shape == run.pictures["float"].shape == (2 * height, 2 * width, 3)
    assert (rows[0].combination.network, rows[0].weights) == ("small", "of the file")
    assert rows[0].error is None


def test_names_are_those_of_the_list() -> None:
    assert "edge_npu" in hw.names("accelerators")
    assert "minmax" in hw.names("methods")


def test_a_machine_goes_through_and_a_name_can_be_changed() -> None:
    machine = hw.accelerator("tiny_npu", {"array.rows": 8})

    assert machine.array.rows == 8
    assert hw.accelerator(machine) is machine
    with pytest.raises(
        UserError, match=r"'tiny_npu\[array.rows=8\]': expected a name or a file to change"
    ):
        hw.accelerator(machine, {"array.rows": 4})


def test_what_is_not_there_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match=r"'hwsim\.api' has no attribute 'simulate'"):
        _ = hw.simulate  # type: ignore[attr-defined]
    assert dir(hw) == sorted(hw.__all__)
    assert all(getattr(hw, name) for name in hw.__all__)
