"""Golden vectors, read by parsers and a bench of the tests' own."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.export.request import Settings
from quant.graph import Graph
from tests.edsr_graphs import edsr_graph
from tests.integer_interpreter import execute
from tests.unit.export.requests import exported, request_of

Memory = dict[int, int]
Wide = NDArray[np.int64]

MIXED = edsr_graph(1, 4, bits=(3, 5), residual_bits=11)


def read_memory(path: Path) -> Memory:
    """Bytes by address, as ``$readmemh`` puts words of the width in the first line's comment."""
    text = path.read_text()
    (bits,) = re.findall(r"; (\d+)-bit words", text.splitlines()[0])
    octets, address, memory = int(bits) // 8, 0, Memory()
    for token in re.sub(r"//.*", "", text).split():
        if token.startswith("@"):
            address = int(token[1:], 16)
            continue
        assert len(token) == 2 * octets
        for place in range(octets):
            digits = token[len(token) - 2 * place - 2 : len(token) - 2 * place]
            if digits != "xx":
                memory[address * octets + place] = int(digits, 16)
        address += 1
    return memory


def codes_at(memory: Memory, address: int, count: int, kind: str) -> list[int]:
    """Codes of a vector (docs/operators/packing.md): bit after bit, the lowest first."""
    bits, signed = int(kind[1:]), kind[0] == "s"
    size = -(-count * bits // 8)
    number = sum(memory[address + place] << 8 * place for place in range(size))
    found = [number >> index * bits & (1 << bits) - 1 for index in range(count)]
    return [code - (signed and code >> bits - 1) * (1 << bits) for code in found]


class Vectors:
    """A folder of golden vectors."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.maps = dict(np.load(folder / "feature_maps.npz"))
        self.constants = dict(np.load(folder / "constants.npz"))

    def memory(self, name: str) -> Memory:
        return read_memory(self.folder / name)

    def feature_map(self, memory: Memory, place: dict[str, Any]) -> Wide:
        """A feature map in DRAM."""
        height, width, channels = place["shape"]
        return np.array(
            [
                [
                    codes_at(
                        memory,
                        place["address"] + row * place["row_bytes"] + column * place["pixel_bytes"],
                        channels,
                        place["codes"],
                    )
                    for column in range(width)
                ]
                for row in range(height)
            ]
        )

    def rows(self, memory: Memory, place: dict[str, Any]) -> Wide:
        """Rows in SRAM."""
        return np.array(
            [
                [
                    codes_at(
                        memory,
                        start + column * place["pixel_bytes"],
                        place["channels"],
                        place["codes"],
                    )
                    for column in range(place["columns"])
                ]
                for start in place["addresses"]
            ]
        )


def vectors(folder: Path, graph: Graph = MIXED, word_bits: int = 8, sram_kib: int = 4) -> Vectors:
    request = request_of(graph, settings=Settings(word_bits=word_bits), sram_kib=sram_kib)
    exported("golden", request, folder)
    return Vectors(folder)


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Vectors:
    return vectors(tmp_path_factory.mktemp("golden"))


def test_feature_maps_are_what_the_graph_computes(golden: Vectors) -> None:
    image = golden.maps["image"]
    expected = execute(MIXED, image.astype(np.int64))
    assert set(golden.maps) == set(expected)
    for name, codes in expected.items():
        np.testing.assert_array_equal(golden.maps[name], codes)


def test_words_of_feature_maps_are_their_integers(golden: Vectors) -> None:
    listed = [entry for entry in golden.manifest["files"] if "shape" in entry]
    assert {entry["node"] for entry in listed} == set(golden.maps)
    for entry in listed:
        text = re.sub(r"//.*", "", (golden.folder / entry["file"]).read_text())
        bits, signed = entry["word_bits"], entry["codes"][0] == "s"
        words = np.array([int(word, 16) for word in text.split()])
        values = words - (words >> bits - 1 & signed) * (1 << bits)
        expected = golden.maps[entry["node"]]
        np.testing.assert_array_equal(values.reshape(entry["shape"]), expected)


def test_dram_holds_constants_and_image_where_the_manifest_says(golden: Vectors) -> None:
    memory = golden.memory("dram/before.hex")
    places = golden.manifest["dram"]
    for place in places:
        if place["kind"] == "weights":
            weight = golden.constants[f"{place['name']}.weight"]
            assert codes_at(memory, place["address"], weight.size, "s3") == weight.ravel().tolist()
        if place["kind"] == "parameters":
            bias = golden.constants[f"{place['name']}.bias"]
            records = [place["address"] + 10 * channel for channel in range(len(bias))]
            assert [codes_at(memory, start, 1, "s40")[0] for start in records] == bias.tolist()
    (image,) = [place for place in places if place["name"] == "image"]
    np.testing.assert_array_equal(golden.feature_map(memory, image), golden.maps["image"])
    assert {place["kind"] for place in places} == {"weights", "parameters", "feature_map"}
    assert max(memory) < golden.manifest["dram_bytes"]


def test_every_stored_feature_map_lies_where_the_manifest_says(golden: Vectors) -> None:
    stored = [place for place in golden.manifest["dram"] if place["kind"] == "feature_map"]
    assert len(stored) > 2
    for place in stored:
        memory = golden.memory(f"dram/stored/{place['name']}.hex")
        found = golden.feature_map(memory, place)
        np.testing.assert_array_equal(found, golden.maps[place["name"]])
    (output,) = [place for place in stored if place["name"] == golden.manifest["output"]]
    found = golden.feature_map(golden.memory("dram/after.hex"), output)
    np.testing.assert_array_equal(found, golden.maps["tail"])


def bench(vectors: Vectors, tile: dict[str, Any]) -> Wide:
    """The output of a convolution's tile, from what its command reads in SRAM alone."""
    memory = vectors.memory(f"tiles/{tile['node']}.before.hex")
    inputs, weights = tile["input"], tile["weights"]
    (height, width), channels = tile["kernel"], inputs["channels"]
    shape = tile["channels"], height, width, channels
    kernel = np.array(
        codes_at(memory, weights["address"], int(np.prod(shape)), weights["codes"])
    ).reshape(shape)
    top, bottom, left, right = tile["padding"]
    codes = np.stack(
        [
            np.pad(
                vectors.rows(memory, inputs)[..., channel],
                ((top, bottom), (left, right)),
                constant_values=tile["pad_code"][channel % len(tile["pad_code"])],
            )
            for channel in range(channels)
        ],
        axis=-1,
    )
    rows, columns = codes.shape[0] - height + 1, codes.shape[1] - width + 1
    made = np.zeros((rows, columns, shape[0]), np.int64)
    for channel in range(shape[0]):
        record = tile["parameters"]["address"] + 10 * channel
        (bias,) = codes_at(memory, record, 1, "s40")
        (multiplier,) = codes_at(memory, record + 5, 1, "s32")
        shift = memory[record + 9]
        for row in range(rows):
            for column in range(columns):
                window = codes[row : row + height, column : column + width]
                total = int((window * kernel[channel]).sum()) + bias
                code = (total * multiplier + (1 << shift - 1) >> shift) + tile["zero_point"]
                made[row, column, channel] = min(max(code, tile["low"]), tile["high"])
    return made


def test_a_bench_that_reads_sram_makes_the_bytes_that_are_expected(golden: Vectors) -> None:
    convolutions = [t for t in golden.manifest["tiles"] if t["operator"] == "convolution"]
    assert {tile["node"] for tile in convolutions} == {
        node.name for node in MIXED.nodes if node.operator.kind == "convolution"
    }
    for tile in convolutions:
        made = bench(golden, tile)
        whole = golden.maps[tile["node"]]
        row, column, first = tile["row"], tile["column"], tile["first_channel"]
        height, width, channels = made.shape
        np.testing.assert_array_equal(
            made,
            whole[row : row + height, column : column + width, first : first + channels],
        )
        if tile["pixel_shuffle"] is None:
            after = golden.rows(golden.memory(f"tiles/{tile['node']}.after.hex"), tile["output"])
            np.testing.assert_array_equal(after[..., first : first + channels], made)


def test_constants_are_the_operators(golden: Vectors) -> None:
    head, add = MIXED.node("head").operator, MIXED.node("block0.add").operator
    for name, values in {
        "head.weight": head.weight,
        "head.requantization.shift": head.requantization.shift,
        "head.padding.top": 1,
        "block0.add.multipliers": add.multipliers,
        "block0.add.requantization.low": add.requantization.low,
    }.items():
        np.testing.assert_array_equal(golden.constants[name], values)


def test_every_operator_of_the_machine_has_a_tile(golden: Vectors) -> None:
    made = {tile["node"] for tile in golden.manifest["tiles"]}
    moved = {node.name for node in MIXED.nodes if node.operator.kind == "pixel_shuffle"}
    assert made == set(golden.maps) - {"image"} - moved


def test_the_manifest_knows_every_file_and_its_checksum(golden: Vectors) -> None:
    listed = {entry["file"]: entry["sha256"] for entry in golden.manifest["files"]}
    there = {str(path.relative_to(golden.folder)) for path in golden.folder.rglob("*.*")}
    assert set(listed) == there - {"manifest.json"}
    for name, checksum in listed.items():
        assert hashlib.sha256((golden.folder / name).read_bytes()).hexdigest() == checksum


@pytest.mark.parametrize("word_bits", [32, 128])
def test_wider_words_hold_the_same_bytes(golden: Vectors, tmp_path: Path, word_bits: int) -> None:
    wide = vectors(tmp_path, word_bits=word_bits)
    memories = [e["file"] for e in golden.manifest["files"] if e.get("memory")]
    for name in memories:
        assert wide.memory(name) == golden.memory(name)


def test_the_same_network_gives_the_same_files(golden: Vectors, tmp_path: Path) -> None:
    again = vectors(tmp_path)
    assert again.manifest == golden.manifest
