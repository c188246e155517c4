"""Feature maps and constants of a graph as numbers: NumPy archives, and words for test benches."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from hwsim.export.golden.manifest import Manifest
from hwsim.machine import KERNELS, run_layerwise
from hwsim.schedule.expansion import expanded
from hwsim.verify.hex_words import format_words
from quant.graph import Graph, IntegerType, Node

MAPS, CONSTANTS, WORDS = "feature_maps.npz", "constants.npz", "feature_maps"

Maps = dict[str, NDArray[np.int64]]


def write_numbers(graph: Graph, image: NDArray[np.int32], manifest: Manifest) -> Maps:
    """Compute every feature map layer by layer, without tiles and memories, and write them.

    Returns:
        Feature maps, int64 [rows, columns, channels], by node.
    """
    whole, maps = expanded(graph), Maps()

    def observe(node: Node, operands: Any, codes: NDArray[Any]) -> None:
        maps[node.name] = codes.astype(np.int64)

    run_layerwise(whole, image, KERNELS, None, observe)
    manifest.add(
        MAPS,
        archive({name: codes.astype(_element(codes)) for name, codes in maps.items()}),
        format="npz",
        content="every feature map by its node, rows × columns × channels",
    )
    constants: dict[str, NDArray[Any]] = {}
    for node in whole.nodes:
        constants |= integers_of(node.operator, node.name)
    manifest.add(
        CONSTANTS, archive(constants), format="npz", content="every operator's integers by its node"
    )
    for node in whole.nodes:
        _write_words(node, maps[node.name], manifest)
    return maps


def archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A NumPy archive, the same bytes for the same arrays."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)
            packed.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getvalue())
    return content.getvalue()


def integers_of(part: Any, name: str) -> dict[str, NDArray[Any]]:
    """The integers of an operator or a part of one, by the path of fields that leads to them."""
    found: dict[str, NDArray[Any]] = {}
    for field in fields(part):
        value, path = getattr(part, field.name), f"{name}.{field.name}"
        if isinstance(value, np.ndarray | int | tuple):
            found[path] = np.asarray(value)
        elif is_dataclass(value) and not isinstance(value, IntegerType):
            found |= integers_of(value, path)
    return found


def _element(codes: NDArray[np.int64]) -> type[np.signedinteger[Any]]:
    fits = codes.min() >= -(2**31) and codes.max() < 2**31
    return np.int32 if fits else np.int64


def _write_words(node: Node, codes: NDArray[np.int64], manifest: Manifest) -> None:
    """A feature map as words of its codes, where those are two's complement or unsigned."""
    integer = node.output.integer
    if not integer.is_consecutive:
        return
    shape = "×".join(str(axis) for axis in codes.shape)
    header = f"// {node.name}: {shape} {integer}; rows, columns, channels\n"
    manifest.add(
        f"{WORDS}/{quote(node.name, safe='')}.hex",
        (header + format_words(codes, integer)).encode("utf-8"),
        format="readmemh",
        node=node.name,
        operator=node.operator.kind,
        inputs=list(node.inputs),
        shape=list(codes.shape),
        codes=str(integer),
        word_bits=integer.bits,
    )
