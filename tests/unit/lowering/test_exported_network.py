"""Programs of torch.export as float networks, and archives that are no such thing."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from quant.common.errors import UnsupportedError, UserError
from quant.lowering.aten_operators import convert_aten
from quant.lowering.execution import Execution
from quant.lowering.exported_archive import read_archive
from quant.lowering.exported_network import exported_network, read_exported
from quant.lowering.float_network import FloatNetwork
from quant.lowering.fold import fold
from quant.lowering.trace import trace
from tests.sr_networks import NETWORKS, random_network
from tests.unit.lowering.small_networks import picture

TOLERANCE = 2e-6


def require_same_function(module: nn.Module, network: FloatNetwork) -> None:
    image = picture()
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        wanted = module(pixels)
    torch.testing.assert_close(Execution(network).picture(image), wanted, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_family_keeps_its_function(name: str) -> None:
    module = random_network(name)
    require_same_function(module, exported_network(module, name, 1.0))


@pytest.mark.parametrize("name", ["IMDN", "SESR"])
def test_layers_have_the_names_that_tracing_gives(name: str) -> None:
    module = random_network(name)
    assert fold(exported_network(module)).layer_names() == trace(module).layer_names()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a small network for images of any size."""
    path = tmp_path_factory.mktemp("exported") / "small.pt2"
    height, width = torch.export.Dim("height"), torch.export.Dim("width")
    program = torch.export.export(
        random_network("ECBSR"),
        (torch.zeros(1, 3, 24, 32),),
        dynamic_shapes={"image": {2: height, 3: width}},
    )
    torch.export.save(program, path)
    return path


def test_a_file_is_read_without_torch_loading_it(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a loader that can run code was called")

    for module, name in ((torch, "load"), (torch.export, "load"), (pickle, "loads")):
        monkeypatch.setattr(module, name, refuse)
    network = read_exported(archive, "small", 1.0)
    require_same_function(random_network("ECBSR"), network)
    assert network.nodes[1].name == "body.0"


class _Functional(nn.Module):
    """What users write with functions, constants and half of the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]))
        self.conv = nn.Conv2d(3, 8, 3, padding="same", bias=False)
        self.deep = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.up = nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        features = self.conv(image - self.mean.view(1, 3, 1, 1)).clamp_min(-0.5)
        first, second = features.chunk(2, dim=1)
        mixed = torch.nn.functional.pad(self.deep(first), [0, 0, 0, 0]) + 0.5 * second
        mixed = torch.nn.functional.hardswish(mixed) + torch.sigmoid(features[:, 2:6])
        return self.up(torch.nn.functional.dropout(mixed, training=False)) / 2.0


def test_functions_and_constants() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        module = _Functional().eval()
    require_same_function(module, exported_network(module, pixel_range=1.0))


class _Unsupported(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        pooled = torch.nn.functional.max_pool2d(image, 2)
        scale = image.mean(dim=(2, 3), keepdim=True)
        return torch.sort(pooled, dim=1).values * scale


def test_every_operator_that_is_none_is_named() -> None:
    with pytest.raises(UserError) as raised:
        exported_network(_Unsupported())
    assert str(raised.value) == (
        "network _Unsupported: expected operators that can be lowered to integers, found "
        "aten.max_pool2d.default (a maximum over windows) at 'max_pool2d'; aten.mean.dim (a mean "
        "whose count is the image's size, which a graph does not know) at 'mean'; "
        "aten.sort.default at 'sort'; replace them"
    )


class _Branch(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image if image.sum() > 0 else -image


def test_a_forward_that_branches_is_told() -> None:
    with pytest.raises(UserError, match=r"expected a forward that torch.export can follow"):
        exported_network(_Branch())


def rewritten(
    archive: Path, folder: Path, change: Callable[[str, bytes], bytes | None],
    compression: int = zipfile.ZIP_STORED,
) -> Path:  # fmt: skip
    """The archive with entries changed, or left out where nothing is given back."""
    path = folder / "changed.pt2"
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(path, "w", compression) as target:
        for entry in source.infolist():
            content = change(entry.filename.partition("/")[2], source.read(entry))
            if content is not None:
                target.writestr(entry.filename, content)
    return path


def edited(name: str, edit: Callable[[Any], object]) -> Callable[[str, bytes], bytes]:
    """A change of one JSON entry."""

    def change(entry: str, content: bytes) -> bytes:
        if entry != name:
            return content
        record = json.loads(content)
        edit(record)
        return json.dumps(record).encode()

    return change


PROGRAM = "models/model.json"
WEIGHTS = "data/weights/model_weights_config.json"


def _weight(**changes: object) -> Callable[[str, bytes], bytes]:
    return edited(WEIGHTS, lambda r: r["config"]["body.0.weight"].update(changes))


def _layout(**changes: object) -> Callable[[str, bytes], bytes]:
    return edited(WEIGHTS, lambda r: r["config"]["body.0.weight"]["tensor_meta"].update(changes))


def _sizes(*sizes: int) -> list[dict[str, int]]:
    return [{"as_int": size} for size in sizes]


DAMAGED: dict[str, Callable[[str, bytes], bytes | None]] = {
    "expected 'body.0.weight' as plain bytes, found a pickle, which can run any code; leave it "
    "out": _weight(use_pickle=True),
    "expected 'body.0.weight' of [1073741824, 3, 3, 3] values, found 324; save it again": (
        _layout(sizes=_sizes(1 << 30, 3, 3, 3), strides=_sizes(0, 9, 3, 1))
    ),
    "expected 'body.0.weight' of [12, 3, 3, 3] values, found 324; save it again": (
        _layout(storage_offset={"as_int": 1})
    ),
    "expected 'body.0.weight' of numbers, found type 99; convert it": _layout(dtype=99),
    "expected version 8 of torch's format, found version 9; save the network again with the torch "
    "that is installed here": edited(PROGRAM, lambda r: r["schema_version"].update(major=9)),
    "expected one input and one output, found 2 and 1; export a network from an image to an image, "
    "in evaluation mode": edited(
        PROGRAM,
        lambda r: r["graph_module"]["signature"]["input_specs"].append(
            {"user_input": {"arg": {"as_tensor": {"name": "second"}}}}
        ),
    ),
    "expected weights, buffers and an image, found custom_obj; export it without": edited(
        PROGRAM, lambda r: r["graph_module"]["signature"]["input_specs"].append({"custom_obj": {}})
    ),
    "expected one program, found 0; save one with torch 2.9": (
        lambda name, content: None if name == PROGRAM else content
    ),
    f"expected '{WEIGHTS}' in the archive, found none; save the network again with torch 2.9": (
        lambda name, content: None if name == WEIGHTS else content
    ),
    "expected 'data/weights/weight_0' in the archive, found none; save the network again": (
        lambda name, content: None if name == "data/weights/weight_0" else content
    ),
}


@pytest.mark.parametrize("problem", DAMAGED)
def test_a_damaged_archive_is_one_sentence(problem: str, archive: Path, tmp_path: Path) -> None:
    path = rewritten(archive, tmp_path, DAMAGED[problem])
    with pytest.raises(UserError) as raised:
        read_archive(path)
    assert str(raised.value) == f"{path}: {problem}"


def test_an_entry_without_a_name_is_one_sentence(archive: Path, tmp_path: Path) -> None:
    """Python's zipfile has an IndexError for it."""
    content = archive.read_bytes()
    name = zipfile.ZipFile(archive).namelist()[0].encode()
    path = tmp_path / "nameless.pt2"
    path.write_bytes(content.replace(name, bytes(len(name))))
    with pytest.raises(UserError, match=r"expected a file that torch\.export\.save wrote"):
        read_archive(path)


def test_entries_that_could_grow_are_refused(archive: Path, tmp_path: Path) -> None:
    path = rewritten(archive, tmp_path, lambda _, content: content, zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match=r"'models/model\.json' uncompressed, of at most 67108864"):
        read_archive(path)


class _Harmful:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('code of the file was run')",)


def test_a_plain_pickle_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "pickle.pt2"
    for content in (pickle.dumps(_Harmful()), _saved(_Harmful()), b"", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(UserError):
            read_archive(path)


def _saved(value: object) -> bytes:
    content = io.BytesIO()
    torch.save(value, content)
    return content.getvalue()


def test_a_tensor_in_a_number_s_place_is_told() -> None:
    with pytest.raises(UnsupportedError, match="cat with unusual arguments"):
        convert_aten("torch.ops.aten.cat.default", {"tensors": ["a", "b"], "dim": torch.ones(2)})


def test_factors_are_whole_numbers_above_zero() -> None:
    with pytest.raises(UnsupportedError, match="pixel shuffle by 0, no whole number for both"):
        convert_aten("torch.ops.aten.pixel_shuffle.default", {"self": "image", "upscale_factor": 0})


def test_a_parameter_without_a_name_is_none(archive: Path, tmp_path: Path) -> None:
    def edit(record: Any) -> None:
        record["graph_module"]["signature"]["input_specs"][0]["parameter"]["parameter_name"] = []

    path = rewritten(archive, tmp_path, edited(PROGRAM, edit))
    with pytest.raises(UserError, match="'p_body_0_weight', which nothing has made"):
        read_exported(path, "small", 1.0)


def test_calls_of_operators_that_are_no_atens_are_told(archive: Path, tmp_path: Path) -> None:
    def edit(record: Any) -> None:
        record["graph_module"]["graph"]["nodes"][0]["target"] = "posix.system"

    path = rewritten(archive, tmp_path, edited(PROGRAM, edit))
    with pytest.raises(UserError, match=r"found posix\.system at 'posix'"):
        read_exported(path, "small", 1.0)
