"""Networks that come in files: integer graphs, other engines' models, and float networks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quant.common.errors import UserError
from quant.graph.adaptive_file import AnyGraph, load_any_graph
from quant.graph.serialization import SUFFIX
from quant.lowering import FloatNetwork

DEFAULT_PIXEL_RANGE = 1.0
"""Value of a white pixel where a float network is in a file, as most tool chains feed them."""

FileNetwork = AnyGraph | FloatNetwork


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file.

    Attributes:
        read: (path, value of a white pixel or None) to the network.
        has_range: whether it may take real numbers, so that the value counts.
        may_be_float: whether it may hold a float network; others are quantized.
        extra: of this package, which installs what reading it needs.
        needs_torch: whether reading it imports torch.
    """

    read: Callable[[Path, float | None], FileNetwork]
    has_range: bool = False
    may_be_float: bool = False
    extra: str = ""
    needs_torch: bool = False


def is_model_file(name: str) -> bool:
    """Whether a network is named by a file rather than by its name."""
    return name.endswith((*KINDS, *_PICKLES)) or "/" in name or Path(name).exists()


def may_be_float(name: str) -> bool:
    """Whether a file of this name may hold a float network; others are quantized."""
    kind = KINDS.get(Path(name).suffix)
    return kind is not None and kind.may_be_float


def needs_torch(name: str) -> bool:
    """Whether reading a file of this name imports torch."""
    kind = KINDS.get(Path(name).suffix)
    return kind is not None and kind.needs_torch


def load_model_file(path: Path, pixel_range: float | None) -> FileNetwork:
    """The network in a file: a graph where it is quantized, else a float network.

    Args:
        path: the file; its suffix says of which kind it is.
        pixel_range: value of a white pixel at both ends; None: `DEFAULT_PIXEL_RANGE` of a float
            network, and 255 or 1 of a quantized one, by what the codes of its image reach.

    Raises:
        UserError: the file is missing or damaged, holds what no graph can express, or is of a kind
            that runs code or takes no such option; or a package to read it is missing.
    """
    if path.suffix in _PICKLES:
        raise UserError(
            f"{path}: expected a network, found a pickle, which can run any code when it is read; "
            "save the network with torch.export.save(torch.export.export(network, (image,)), "
            "'network.pt2'), or give it as the weights of a known network"
        )
    kind = KINDS.get(path.suffix, KINDS[SUFFIX])
    if pixel_range is not None and not kind.has_range:
        raise UserError(
            f"{path} takes pixels as they are; leave out the pixel range, which is for what takes "
            "real numbers"
        )
    try:
        return kind.read(path, pixel_range)
    except ModuleNotFoundError as error:
        raise UserError(
            f"{path}: reading {path.suffix} files needs '{error.name}', which is not installed; "
            f"pip install 'hwsim[{kind.extra}]'"
        ) from error


def _read_graph(path: Path, _: float | None) -> FileNetwork:
    return load_any_graph(path)


def _read_tflite(path: Path, pixel_range: float | None) -> FileNetwork:
    from quant.interchange.tflite_reader import read_pictures_tflite

    return read_pictures_tflite(path, pixel_range)


def _read_onnx(path: Path, pixel_range: float | None) -> FileNetwork:
    from quant.interchange.onnx_model import load_model
    from quant.interchange.onnx_reader import is_quantized, picture_graph_of
    from quant.lowering.onnx_network import network_of

    model = load_model(path)
    if is_quantized(model):
        return picture_graph_of(model, pixel_range)
    return network_of(model, path.stem, _or_default(pixel_range))


def _read_exported(path: Path, pixel_range: float | None) -> FileNetwork:
    from quant.lowering.exported_network import read_exported

    return read_exported(path, path.stem, _or_default(pixel_range))


def _or_default(pixel_range: float | None) -> float:
    return DEFAULT_PIXEL_RANGE if pixel_range is None else pixel_range


KINDS: dict[str, FileKind] = {
    SUFFIX: FileKind(_read_graph),
    ".tflite": FileKind(_read_tflite, has_range=True, extra="tflite"),
    ".onnx": FileKind(_read_onnx, has_range=True, may_be_float=True, extra="onnx"),
    ".pt2": FileKind(_read_exported, has_range=True, may_be_float=True, needs_torch=True),
}
"""By suffix; a file of another one is taken for a graph file."""

_PICKLES = (".pt", ".pth", ".pkl", ".ckpt")
