"""Tiles are what the machine computed, and where they say they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.machine import KERNELS, run_layerwise
from hwsim.schedule.expansion import expanded
from hwsim.verify.rtl.tiles import Tile, tiles_of
from hwsim.verify.stepped import run_stepped
from quant.graph import (
    CodeKind,
    Convolution,
    Graph,
    Input,
    IntegerType,
    Node,
    Padding,
    Requantization,
    TensorType,
    verify,
)
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.machines import machine

Codes = NDArray[np.int32]


def _feature_maps(graph: Graph, image: Codes) -> dict[str, Codes]:
    maps: dict[str, Codes] = {}

    def observe(node: Node, _: Sequence[Codes], codes: Codes) -> None:
        maps[node.name] = codes

    run_layerwise(expanded(graph), image, KERNELS, observe=observe)
    return maps


def _computed(tile: Tile) -> NDArray[np.int64]:
    bias, multiplier, shift, *fixed = tile.product.scales.T
    zero_point, low, high = (int(values[0]) for values in fixed)
    rule = Requantization(multiplier, shift, zero_point, low, high, tile.rounding)
    return reference.requantize(tile.product.activations @ tile.product.weights + bias, rule)


def _check(graph: Graph, image: Codes, tiles: list[Tile]) -> None:
    maps = _feature_maps(graph, image)
    for tile in tiles:
        rows, columns = tile.pixels.T
        channels = slice(tile.first_channel, tile.first_channel + tile.codes.shape[1])
        np.testing.assert_array_equal(tile.codes, maps[tile.node][rows, columns][:, channels])
        np.testing.assert_array_equal(tile.codes, _computed(tile))


@pytest.mark.parametrize("sram_kib", [16, 512])
def test_every_layer_has_tiles(sram_kib: int) -> None:
    graph, accelerator = edsr_graph(channels=12, bits=(4, 6)), machine(sram_kib, 4)
    image = np.random.default_rng(1).integers(0, 256, (13, 9, 3)).astype(np.int32)
    tiles = tiles_of(graph, accelerator, 40, image=image, seed=5)
    assert len(tiles) == 40
    assert {tile.node for tile in tiles} == set(edsr_layers(2))
    pixels, channels = ({tile.codes.shape[axis] for tile in tiles} for axis in (0, 1))
    assert pixels == channels == set(range(1, 9))
    _check(graph, image, tiles)


@pytest.mark.parametrize("border", ["code", "replicate"])
@pytest.mark.parametrize(
    "geometry",
    [
        {"stride": (2, 3)},
        {"dilation": (2, 1)},
        {"groups": 3},
        {"stride": (1, 2), "dilation": (1, 2), "groups": 6},
    ],
)
def test_windows_and_groups(geometry: dict[str, Any], border: str) -> None:
    random = np.random.default_rng(8)
    weight = random.integers(-8, 8, (12, 3, 2, 6 // geometry.get("groups", 1)))
    convolution = Convolution(
        weight,
        IntegerType(4, CodeKind.SIGNED),
        random.integers(-500, 500, 12),
        Padding(2, 1, 0, 1),
        np.array([9]),
        Requantization(random.integers(40, 80, 12), np.full(12, 12), -3, -32, 31, "half_even"),
        border=border,
        **geometry,
    )
    nodes = (
        Node("image", Input(), (), TensorType(6, IntegerType(8))),
        Node("layer", convolution, ("image",), TensorType(12, IntegerType(6, CodeKind.SIGNED))),
    )
    graph = verify(Graph.build("one layer", nodes, "layer"))
    image = random.integers(0, 256, (9, 11, 6)).astype(np.int32)
    tiles = tiles_of(graph, machine(64, 4), 20, image=image)
    assert len({int(tile.codes.sum()) for tile in tiles}) > 5
    _check(graph, image, tiles)


def test_the_same_seed_gives_the_same_tiles() -> None:
    graph, accelerator = edsr_graph(channels=4), machine(64, 4)
    one, again, other = (tiles_of(graph, accelerator, 3, seed=seed) for seed in (1, 1, 2))
    for tile, same in zip(one, again, strict=True):
        np.testing.assert_array_equal(tile.codes, same.codes)
    assert any(not np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other, strict=True))


def test_a_stepped_array_computes_the_codes() -> None:
    graph, accelerator = edsr_graph(channels=8, bits=(8, 8)), machine(64, 4)
    for tile in tiles_of(graph, accelerator, 8, seed=2):
        assert tile.rounding == "half_up"
        stepped = run_stepped(accelerator.array, tile.product)
        np.testing.assert_array_equal(stepped.codes, tile.codes)


def test_a_place_is_named() -> None:
    graph, accelerator = edsr_graph(channels=8), machine(64, 4)
    tile = tiles_of(graph, accelerator, 1, seed=2)[0]
    row, column = tile.pixels[1]
    assert tile.place(1, 0) == f"head, row {row}, column {column}, channel {tile.first_channel}"
