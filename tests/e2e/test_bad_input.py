"""Everything a user can get wrong ends in one sentence and status 2, with nothing written."""

from pathlib import Path

import pytest
import yaml

from accelerators import load_accelerator
from quant.networks.registry import shipped_weights
from tests.e2e.conftest import Command


@pytest.fixture
def broken(tmp_path: Path, graph_file: Path, picture_file: Path) -> Path:
    """A folder of files that are wrong in every way."""
    folder = tmp_path / "broken"
    folder.mkdir()
    graph, picture = graph_file.read_bytes(), picture_file.read_bytes()
    (folder / "cut.png").write_bytes(picture[: len(picture) // 2])
    (folder / "text.png").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / "cut.hwgraph").write_bytes(graph[: len(graph) // 2])
    (folder / "text.hwgraph").write_text("no graph")
    (folder / "changed.hwgraph").write_bytes(graph[:-1] + bytes([graph[-1] ^ 1]))
    (folder / "text.safetensors").write_text("no weights")
    weights = TINY_WEIGHTS.read_bytes()
    (folder / "cut.safetensors").write_bytes(weights[: len(weights) // 2])
    (folder / "text.pt").write_text("no weights")
    (folder / "file").write_text("a file, no folder")
    (folder / "layers.yaml").write_text("default: w8a8\nlayers:\n  no.such.layer: w4a4\n")
    (folder / "bits.yaml").write_text("default: w17a8\n")
    (folder / "keys.yaml").write_text("default: w8a8\nlayer: w4a4\n")
    (folder / "torn.yaml").write_text("default: [w8a8\n")
    (folder / "empty").mkdir()
    (folder / "searched").mkdir()
    (folder / "searched" / "search.json").write_text("{}")
    (folder / "other.json").write_text('{"checks": []}')
    machine = load_accelerator("tiny_npu").model_dump(mode="json")
    machine["sram"].update(size_kib=1, banks=1)
    machine["array"].update(rows=4, columns=4)
    (folder / "small_sram.yaml").write_text(yaml.safe_dump(machine))
    machine["array"]["rows"] = 0
    (folder / "no_rows.yaml").write_text(yaml.safe_dump(machine))
    return folder


TINY_WEIGHTS = shipped_weights("edsr_tiny_x2") or Path()
RUN_ON_GRAPH = "run {graph} --image {picture}"
RUN_ON_NETWORK = "run --image {picture} --calibration {calibration}"

CASES = {
    # images
    "run {graph} --image {broken}/none.png": "none.png: no such image file; check the path",
    "run {graph} --image {broken}": "broken: cannot read this image file: Is a directory",
    "run {graph} --image {broken}/cut.png": "cut.png: the image is damaged or cut short",
    "run {graph} --image {broken}/text.png": "text.png: expected an image",
    "run {graph} --image {broken}/empty.png": "empty.png: expected an image",
    "run {graph} --hr {broken}/none.png": "none.png: no such image file",
    "run {graph} --image {picture} --hr {picture}": "expected 48×40 pixels, 2 times the image",
    # graphs
    "run {broken}/none.hwgraph": "none.hwgraph: no such graph file; check the path",
    "run {broken}/cut.hwgraph": "cut.hwgraph: expected a graph file (.hwgraph), found something",
    "run {broken}/text.hwgraph": "text.hwgraph: expected a graph file",
    "run {broken}/changed.hwgraph": "changed.hwgraph: the content does not match its checksum",
    "run {picture}": "small.png: expected a graph file (.hwgraph)",
    "run {graph} --bits w4a4": "is a graph file, which is quantized already; leave out --bits",
    "run {graph} --random-weights 3": "leave out --random-weights or name a network",
    # names
    "run edsr_tiny_x3": "network 'edsr_tiny_x3': expected a known network or a graph file",
    "quantize resnet": "network 'resnet' is not known",
    f"{RUN_ON_NETWORK} --method minmix": "method 'minmix' is not known; did you mean 'minmax'?",
    f"{RUN_ON_NETWORK} --rounding tflite_duble": "mode; did you mean 'tflite_double'",
    "run {graph} --rounding half_up": "quantized already; leave out --rounding or name a network",
    f"{RUN_ON_NETWORK} --rounding nvdla --bits w16a16": "takes sums of at most 32 bits, but this",
    f"{RUN_ON_GRAPH} --accelerator edge_gpu": "mean 'edge_tpu' or 'edge_npu' or 'edge_sr_npu'?",
    f"{RUN_ON_GRAPH} --energy-table horowits": "did you mean 'horowitz45'?",
    # policies
    f"{RUN_ON_NETWORK} --bits w0a8": "expected 1 to 16 bits for weights, given 0",
    f"{RUN_ON_NETWORK} --bits w8a17": "expected 1 to 16 bits for activations, given 17",
    f"{RUN_ON_NETWORK} --bits eight": "bit policy 'eight': expected a spelling such as 'w4a8'",
    f"{RUN_ON_NETWORK} --bits {{broken}}/none.yaml": "none.yaml: no such bit policy file",
    f"{RUN_ON_NETWORK} --bits {{broken}}/layers.yaml": "layers.yaml:3: policy layer 'no.such.la",
    f"{RUN_ON_NETWORK} --bits {{broken}}/bits.yaml": "bits.yaml:1: bits 'w17a8': expected 1 to 16",
    f"{RUN_ON_NETWORK} --bits {{broken}}/keys.yaml": "keys.yaml:2: layer: unknown key; did you m",
    f"{RUN_ON_NETWORK} --bits {{broken}}/torn.yaml": "not valid YAML",
    # weights and calibration
    f"{RUN_ON_NETWORK} --weights {{broken}}/none.safetensors": "no such weights file",
    f"{RUN_ON_NETWORK} --weights {{broken}}/text.safetensors": "expected a safetensors file of we",
    f"{RUN_ON_NETWORK} --weights {{broken}}/cut.safetensors": "expected a safetensors file of wei",
    "run edsr_baseline_x2 --weights {weights}": "they fit network 'edsr_tiny_x2'",
    f"{RUN_ON_NETWORK} --weights {{broken}}/text.pt": "expected a torch state-dictionary file of",
    "run edsr_x2": "network 'edsr_x2': weights are not shipped",
    "run --calibration {broken}/none": "none: expected a folder of pictures; check the path",
    "run --calibration {broken}/empty": "empty: expected pictures in this folder, found none",
    "run --calibration {broken}": "bits.yaml: expected an image",
    # machines
    f"{RUN_ON_GRAPH} --accelerator {{broken}}/none.yaml": "none.yaml: no such accelerator file",
    f"{RUN_ON_GRAPH} --accelerator {{broken}}/no_rows.yaml": "array.rows: expected at least 1",
    f"{RUN_ON_NETWORK} --accelerator {{broken}}/small_sram.yaml": "needs 6 KiB of SRAM, acc",
    "estimate {graph} --input-size 24": "expected HEIGHTxWIDTH such as 256x256, got '24'",
    # reports, comparisons of runs, traces
    "report {broken}/none": "none: no such result file; check the path",
    "report {broken}/empty": "found no result.json in it; write one with hwsim run --out",
    "report {broken}/searched": "found a search, whose page is",
    "report {broken}/text.png": "expected a result file in JSON, but",
    "report {broken}/other.json": "expected what hwsim run or hwsim estimate writes to result.json",
    "compare {broken}/empty {broken}/searched": "found no result.json in it",
    "compare {broken}/empty edsr_tiny_x2": "expected networks, or recorded runs, given both",
    "compare {broken}/other.json": "expected two or more recorded runs, given one",
    "compare {broken}/empty {broken}/empty": "expected each run once; leave out the second",
    "compare {broken}/empty {broken}/searched --bits w4a4": "--bits: expected only --out and --j",
    "run {graph} --trace {broken}/trace.txt": "expected a name ending in .json or .json.gz, got",
    "run {graph} --trace {broken}/file/trace.json": "file: Not a directory; choose a folder you",
    # outputs
    "run {graph} --out {broken}/file": "file: Not a directory; choose a folder you can write to",
    "run {graph} --out {broken}/file/out": "out: Not a directory; choose a folder you can write",
    "run {graph} --out /proc/out": "cannot write /proc/out: ",
    "quantize --out {broken}/file/a.hwgraph": "Not a directory; choose a folder you can write to",
}


@pytest.mark.parametrize(("command", "sentence"), CASES.items(), ids=CASES)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    hwsim: Command,
    graph_file: Path,
    picture_file: Path,
    calibration_folder: Path,
    broken: Path,
    tmp_path: Path,
    command: str,
    sentence: str,
) -> None:
    places = {"graph": graph_file, "picture": picture_file, "broken": broken,
              "calibration": calibration_folder, "weights": TINY_WEIGHTS}  # fmt: skip
    arguments = [word.format(**places) for word in command.split()]
    out = tmp_path / "out" / "deeper"
    if "--out" not in arguments and not {"estimate", "report"} & set(arguments):
        arguments += ["--out", str(out)]
    before = sorted(broken.rglob("*"))

    done = hwsim(*arguments, "--quiet")

    assert done.status == 2
    assert sentence in done.err
    assert done.err.startswith(f"hwsim {arguments[0]}: ")
    assert done.err.count("\n") == 1
    assert done.out == ""
    assert not out.parent.exists()
    assert sorted(broken.rglob("*")) == before
