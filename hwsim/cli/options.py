"""The options of every command. The same option has the same name and meaning everywhere."""

import re
from argparse import ArgumentParser, ArgumentTypeError, _ActionsContainer
from pathlib import Path

from quant.common.requantization_modes import DEFAULT_MODE

DEFAULT_NETWORK = "edsr_tiny_x2"
DEFAULT_METHOD = "minmax"
DEFAULT_BITS = "w8a8"
DEFAULT_ACCELERATOR = "edge_npu"
SAMPLE = "sample"
"""The word that stands for the photograph that comes with the program."""

_NETWORK_OR_FILE = (
    "network name, file of a float network (.onnx, .pt2) or of a quantized one (.hwgraph, .onnx, "
    ".tflite)"
)
ACTIVITIES = ("uniform", "measured")
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
"""The cell library that Debian has."""

SCHEDULES = ("balanced", "cycles", "energy", "dram")
OVERFLOWS = ("error", "wrap", "saturate_final", "saturate_step")
TRACE_SUFFIXES = (".json", ".json.gz")
CHECKS = ("reference", "kernels", "none")
SHELLS = ("bash", "zsh", "fish")
LISTS = (
    "networks",
    "methods",
    "accelerators",
    "energy-tables",
    "dram-tables",
    "policies",
    "roundings",
    "formats",
)


def add_general_options(parser: ArgumentParser) -> None:
    """What every command takes."""
    group = parser.add_argument_group("general")
    group.add_argument("--quiet", action="store_true", help="no messages and no progress")
    group.add_argument("--debug", action="store_true", help="print a traceback with an error")


def add_run_options(parser: ArgumentParser) -> None:
    """What ``hwsim run`` takes."""
    add_network(parser, _NETWORK_OR_FILE)
    _add_image(parser)
    add_quantization(parser)
    add_machine(parser, with_all_tables=True)
    parser.add_argument(
        "--energy-activity",
        choices=ACTIVITIES,
        default="uniform",
        help="also give the energy with the switching of this image's own operands, beside that of "
        "uniformly random ones (default: uniform)",
    )
    parser.add_argument(
        "--patch",
        type=_side,
        metavar="PIXELS",
        help="run patches of this side, one after the other, each with bits of its own where the "
        "image decides them (default: the whole picture)",
    )
    parser.add_argument(
        "--check",
        choices=CHECKS,
        default="reference",
        help="compare the output bit for bit with the same graph computed layer by layer, by the "
        "slow reference or by the fast kernels (default: reference)",
    )
    _add_explain(parser)
    output = add_output(
        parser, "folder for the report, the pictures, the per-layer table, the chart and the result"
    )
    _add_trace(output)


def add_estimate_options(parser: ArgumentParser) -> None:
    """What ``hwsim estimate`` takes."""
    add_network(parser, _NETWORK_OR_FILE)
    add_input_size(parser)
    add_quantization(parser)
    add_machine(parser, with_all_tables=True)
    _add_explain(parser)
    output = add_output(
        parser, "folder for the report, the per-layer table, the chart and the result"
    )
    _add_trace(output)


def add_evaluate_options(parser: ArgumentParser) -> None:
    """What ``hwsim evaluate`` takes."""
    add_network(parser, _NETWORK_OR_FILE)
    group = parser.add_argument_group("pictures")
    group.add_argument(
        "--data",
        type=Path,
        action="append",
        required=True,
        metavar="DIR",
        help="a data set: originals, or folders HR and LRx2, LRx3, … in it; may be repeated",
    )
    group.add_argument(
        "--patch",
        type=int,
        metavar="PIXELS",
        help="enlarge patches of this side, each for itself (default: whole pictures)",
    )
    add_quantization(parser)
    add_output(parser, "folder for the result")


def add_quantize_options(parser: ArgumentParser) -> None:
    """What ``hwsim quantize`` takes."""
    add_network(
        parser, "network name, float network in a file (.onnx, .pt2), or another engine's model"
    )
    add_quantization(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the graph file to write (default: NETWORK_METHOD_POLICY.hwgraph here)",
    )


def add_train_options(parser: ArgumentParser) -> None:
    """What ``hwsim train`` takes; what is not given is left to `quant.training.TrainingConfig`."""
    add_network(parser, "network name")
    add = parser.add_argument
    add("--images", type=Path, nargs="+", required=True, metavar="DIR", help="training pictures")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for weights and checkpoint")
    add("--validation", type=Path, metavar="DIR", help="pictures to judge on")
    add("--validate-minutes", type=float, metavar="M", help="time between judgements")
    add("--iterations", type=int, metavar="N", help="optimizer steps")
    add("--minutes", type=float, metavar="M", help="stop after this time, even if not done")
    add("--batch", type=int, metavar="N", help="patches per step")
    add("--patch", type=int, metavar="PIXELS", help="side of a low-resolution patch")
    add("--learning-rate", type=float, metavar="RATE", help="peak of the schedule")
    add("--seed", type=int, metavar="N", help="seed of weights and patches")
    add(
        "--initial-weights",
        type=Path,
        metavar="FILE",
        help="start from the weights of another network, wherever they fit",
    )
    group = parser.add_argument_group("quantization, learned instead of the float network")
    group.add_argument("--method", metavar="NAME", help="a method that learns, such as odm-v2")
    group.add_argument("--bits", metavar="POLICY", help=f"as of run (default: {DEFAULT_BITS})")
    group.add_argument(
        "--weights", type=Path, metavar="FILE", help="float weights that learning starts from"
    )
    add("--device", choices=("auto", "cpu", "cuda"), help="where to train")
    add(
        "--precision",
        choices=("auto", "float32", "bf16"),
        help="what convolutions multiply (default: bf16 where the hardware does natively)",
    )


def add_verify_options(parser: ArgumentParser) -> None:
    """What ``hwsim verify`` takes."""
    add_network(parser, f"{_NETWORK_OR_FILE}, run besides all operators")
    add_quantization(parser)
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of everything drawn (default: 0)"
    )
    parser.add_argument(
        "--oracles",
        action="store_true",
        help="also compare operators and whole networks with the inference engines that are "
        "installed",
    )
    group = parser.add_argument_group("tensors, instead of the other checks")
    group.add_argument(
        "--tensors",
        type=Path,
        metavar="FILE|DIR",
        help="compare these feature maps with the network's, layer by layer: the output as .npy or "
        "hexadecimal words (.hex), or several by their nodes' names as .npz or a folder",
    )
    group.add_argument(
        "--write-tensors",
        type=Path,
        metavar="FILE|DIR",
        help="write every feature map to a .npz file, or to a folder of .hex files",
    )
    group.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help="what they are of: a picture, or codes as .npy (default: the reduced sample)",
    )
    _add_rtl(parser)
    _add_json(parser)


def _add_rtl(parser: ArgumentParser) -> None:
    """A Verilog design to check with tiles of the network."""
    group = parser.add_argument_group("a Verilog design, instead of the other checks")
    add = group.add_argument
    add("--rtl-top", metavar="NAME", help="the module, run with tiles of the network's layers")
    add(
        "--rtl",
        type=Path,
        nargs="+",
        metavar="FILE|DIR",
        help="its Verilog sources; a folder stands for those in it",
    )
    add(
        "--rtl-ports",
        type=Path,
        metavar="FILE",
        help="a .yaml file that describes its ports (default: those of the accelerator's array)",
    )
    add(
        "--rtl-simulator",
        choices=("verilator", "icarus"),
        help="what runs it (default: the first that is installed)",
    )
    add("--rtl-tiles", type=_tiles, metavar="N", help="tiles, the layers in turns (default: 20)")
    add(
        "--rtl-results",
        type=Path,
        metavar="FILE",
        help="compare results.txt of a bench that was run elsewhere",
    )
    add("--out", type=Path, metavar="DIR", help="folder for the bench: Verilog, vectors, README")
    add(
        "--accelerator",
        metavar="NAME|FILE",
        help="whose schedule cuts the tiles, and whose array the module is "
        f"(default: {DEFAULT_ACCELERATOR})",
    )


def add_compare_options(parser: ArgumentParser) -> None:
    """What ``hwsim compare`` takes."""
    parser.set_defaults(with_all_tables=False)
    parser.add_argument(
        "network",
        nargs="*",
        default=[DEFAULT_NETWORK],
        metavar="NETWORK|RUN",
        help="network names, or float networks in files (.onnx, .pt2) "
        f"(default: {DEFAULT_NETWORK}; see hwsim list networks); or two or more folders of runs "
        "and estimates, or their result.json, to be compared as they are",
    )
    group = parser.add_argument_group("rows of the table: every combination of these")
    group.add_argument(
        "--method",
        nargs="+",
        default=[DEFAULT_METHOD],
        metavar="NAME",
        help=f"see hwsim list methods (default: {DEFAULT_METHOD})",
    )
    group.add_argument(
        "--bits",
        nargs="+",
        default=[DEFAULT_BITS],
        metavar="POLICY",
        help="w8a8 and the like, policies' names or policy files (.yaml) "
        f"(default: {DEFAULT_BITS})",
    )
    group.add_argument(
        "--accelerator",
        nargs="+",
        default=[DEFAULT_ACCELERATOR],
        metavar="NAME|FILE",
        help=f"names or .yaml files (default: {DEFAULT_ACCELERATOR})",
    )
    group = parser.add_argument_group("quality and cost")
    group.add_argument(
        "--data",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a data set: originals, or folders HR and LRx2, LRx3, … in it; may be repeated "
        "(default: none, costs alone)",
    )
    group.add_argument(
        "--input-size",
        type=_size,
        metavar="HxW",
        help="height and width of the input image that costs are counted for (default: 180x320)",
    )
    group.add_argument("--energy-table", metavar="NAME|FILE", help="(default: each machine's own)")
    _add_schedule(group)
    group.add_argument(
        "--fake-quantized",
        action="store_true",
        help="also judge the same codes computed in real numbers, in float64, which is slow",
    )
    group.add_argument(
        "--check",
        action="store_true",
        help="run one picture of every row on the simulated machine and compare it bit for bit",
    )
    group = parser.add_argument_group("quantization")
    group.add_argument(
        "--rounding",
        metavar="MODE",
        help="how sums become codes; see hwsim list roundings (default: each machine's own)",
    )
    group.add_argument(
        "--calibration",
        type=Path,
        metavar="DIR",
        help="pictures to calibrate ranges on (default: photographs that come with the program)",
    )
    _add_pixel_range(group)
    group.add_argument(
        "--weights",
        type=_named_file,
        action="append",
        default=[],
        metavar="NETWORK=FILE",
        help="float weights of one of the networks; may be repeated (default: those that come with "
        "the program; a network without any is priced with random ones and not judged)",
    )
    add_output(
        parser,
        "folder for the table, the chart and the result; what was measured is kept there",
    )


def add_calibrate_options(parser: ArgumentParser) -> None:
    """What ``hwsim calibrate`` takes."""
    add_network(parser, "name of the network whose operands are recorded")
    group = parser.add_argument_group("synthesis")
    group.add_argument(
        "--liberty",
        type=Path,
        metavar="FILE",
        help="the cell library (default: osu018 where Debian's qflow-tech-osu018 puts it)",
    )
    group.add_argument(
        "--widths",
        type=_widths,
        metavar="BITS",
        help="widths of operands, such as 1-16 or 2,4,8 (default: 1-16)",
    )
    group.add_argument(
        "--technology-nm",
        type=int,
        metavar="NM",
        help="node of the library, which Liberty files do not tell: also writes what machines' "
        "areas are put together from",
    )
    group.add_argument(
        "--name", metavar="NAME", help="of the factors (default: that of the library)"
    )
    _add_image(parser)
    add_quantization(parser, with_bits=False)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("calibration"),
        metavar="DIR",
        help="folder for the factors; what was measured is kept there (default: calibration)",
    )


def add_report_options(parser: ArgumentParser) -> None:
    """What ``hwsim report`` takes."""
    parser.add_argument(
        "result",
        type=Path,
        metavar="RESULT",
        help="folder of a run or an estimate, or its result.json",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page to write (default: report.html beside the result)",
    )


def add_list_options(parser: ArgumentParser) -> None:
    """What ``hwsim list`` takes."""
    parser.add_argument("kind", nargs="?", metavar="KIND", help=", ".join(LISTS))
    _add_json(parser)


def add_doctor_options(parser: ArgumentParser) -> None:
    """What ``hwsim doctor`` takes."""
    _add_json(parser)


def add_completion_options(parser: ArgumentParser) -> None:
    """What ``hwsim completion`` takes."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def add_network(parser: ArgumentParser, what: str) -> None:
    """What the command works on."""
    parser.add_argument(
        "network",
        nargs="?",
        default=DEFAULT_NETWORK,
        metavar="NETWORK",
        help=f"{what} (default: {DEFAULT_NETWORK}; see hwsim list networks)",
    )


def add_input_size(
    parser: _ActionsContainer,
    of: str = "of the input image in pixels (default: those of the sample)",
) -> None:
    """The image that costs are counted for."""
    parser.add_argument("--input-size", type=_size, metavar="HxW", help=f"height and width {of}")


def _add_image(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("image")
    group.add_argument(
        "--image",
        metavar="FILE",
        help=f"the picture to enlarge, or '{SAMPLE}': the photograph that comes with the program, "
        f"reduced (default: {SAMPLE}; with --hr alone, the reduction of that picture)",
    )
    group.add_argument(
        "--hr", type=Path, metavar="FILE", help="its high-resolution original: gives PSNR and SSIM"
    )


def add_quantization(
    parser: ArgumentParser, *, with_bits: bool = True, several: bool = False
) -> None:
    """How the network becomes integers: by a method, or by each of several."""
    group = parser.add_argument_group("quantization")
    # No defaults here, to be able to refuse these options beside a graph file.
    group.add_argument(
        "--method",
        nargs="+" if several else None,
        metavar="NAME",
        help=f"(default: {DEFAULT_METHOD})",
    )
    if with_bits:
        group.add_argument(
            "--bits",
            metavar="POLICY",
            help="w8a8 and the like, a policy's name or a policy file (.yaml) "
            f"(default: {DEFAULT_BITS})",
        )
    group.add_argument(
        "--rounding",
        metavar="MODE",
        help="how sums become codes; see hwsim list roundings (default: that of the accelerator's "
        f"requantizer, {DEFAULT_MODE} without one)",
    )
    group.add_argument(
        "--calibration",
        type=Path,
        metavar="DIR",
        help="pictures to calibrate ranges on (default: photographs that come with the program)",
    )
    group.add_argument("--weights", type=Path, metavar="FILE", help="float weights of the network")
    _add_pixel_range(group)
    group.add_argument(
        "--random-weights",
        type=int,
        metavar="SEED",
        help="weights drawn at random: for costs and bit-exactness, not for pictures",
    )


def _add_pixel_range(group: _ActionsContainer) -> None:
    group.add_argument(
        "--pixel-range",
        type=_positive,
        metavar="VALUE",
        help="of a white pixel, where a file's network takes and gives real numbers (default: 1; "
        "of a quantized network 1 or 255, by what the codes of its image reach)",
    )


def add_machine(
    parser: ArgumentParser, *, with_all_tables: bool = False, several: bool = False
) -> None:
    """The machine, or each of several, and its prices."""
    parser.set_defaults(with_all_tables=with_all_tables)
    group = parser.add_argument_group("machine")
    group.add_argument(
        "--accelerator",
        nargs="+" if several else None,
        default=[DEFAULT_ACCELERATOR] if several else DEFAULT_ACCELERATOR,
        metavar="NAME|FILE",
        help=f"name or .yaml file (default: {DEFAULT_ACCELERATOR})",
    )
    group.add_argument(
        "--energy-table",
        metavar="NAME|FILE" + ("|all" if with_all_tables else ""),
        help="(default: the accelerator's own)"
        + ("; all: the answer under every table, as a band" if with_all_tables else ""),
    )
    group.add_argument(
        "--accumulator-bits",
        type=int,
        metavar="N",
        help="width of the accumulators (default: the accelerator's own)",
    )
    group.add_argument(
        "--overflow",
        choices=OVERFLOWS,
        help="what becomes of sums that leave them; 'error' runs until one does (default: the "
        "accelerator's own, where 'error' refuses a network in which one could)",
    )
    _add_schedule(group)


def _add_schedule(parser: _ActionsContainer) -> None:
    parser.add_argument(
        "--schedule",
        choices=SCHEDULES,
        help="what the schedule is chosen for (default: the accelerator's own objective)",
    )
    parser.add_argument(
        "--no-fusion",
        action="store_true",
        help="run one layer after the other, every feature map between two of them in DRAM",
    )


def add_output(parser: ArgumentParser, what: str) -> _ActionsContainer:
    """Where results go; returns the group of these options."""
    group = parser.add_argument_group("output")
    group.add_argument("--out", type=Path, metavar="DIR", help=what)
    _add_json(group)
    return group


def _add_explain(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--explain",
        action="store_true",
        help="say of every layer what bounds it: where each cycle goes, roofline and memory",
    )


def _add_trace(parser: _ActionsContainer) -> None:
    parser.add_argument(
        "--trace",
        type=_trace_file,
        metavar="FILE",
        help="write what every unit does when as Chrome-trace JSON, for ui.perfetto.dev; a name "
        "that ends in .json.gz has it compressed",
    )


def _add_json(parser: _ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object to stdout")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,5})[x×]([1-9]\d{0,5})", text, re.ASCII)
    if match is None:
        raise ArgumentTypeError(f"expected HEIGHTxWIDTH such as 256x256, got '{text}'")
    return int(match[1]), int(match[2])


def _positive(text: str) -> float:
    match = re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII)
    if match is None or float(text) == 0:
        raise ArgumentTypeError(f"expected a positive number such as 255, got '{text}'")
    return float(text)


def _named_file(text: str) -> tuple[str, Path]:
    name, equals, file = text.partition("=")
    if not name or not equals or not file:
        raise ArgumentTypeError(f"expected NETWORK=FILE, got '{text}'")
    return name, Path(file)


def _tiles(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,4}", text, re.ASCII):
        raise ArgumentTypeError(f"expected a number of tiles such as 50, got '{text}'")
    return int(text)


def _trace_file(text: str) -> Path:
    if not text.endswith(TRACE_SUFFIXES):
        raise ArgumentTypeError(f"expected a name ending in .json or .json.gz, got '{text}'")
    return Path(text)


def _side(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII):
        raise ArgumentTypeError(f"expected a side in pixels such as 96, got '{text}'")
    return int(text)


def _widths(text: str) -> tuple[int, ...]:
    """Widths from ``1-16`` or ``2,4,8``, ascending."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", part.strip())
        if match is None:
            raise ArgumentTypeError(f"expected widths such as 1-16 or 2,4,8, given '{text}'")
        found |= {*range(int(match[1]), int(match[2] or match[1]) + 1)}
    if not found or not found <= {*range(1, 17)}:
        raise ArgumentTypeError(f"expected widths of 1 to 16 bits, given '{text}'")
    return tuple(sorted(found))
