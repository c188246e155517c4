"""The options of ``hwsim export``."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from hwsim.cli import layer_choices, options
from hwsim.export.formats import FORMATS

SCALES = ("unit", "real")


def add_export_options(parser: ArgumentParser) -> None:
    """What ``hwsim export`` takes."""
    options.add_network(
        parser, "network name, graph file (.hwgraph) or int8 TensorFlow Lite file (.tflite)"
    )
    parser.add_argument(
        "--to",
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)}; see hwsim list formats",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE|DIR",
        help="the file to write, or the folder of a format of several files; in a folder that is "
        "there, a file gets a name that says what it is",
    )
    parser.add_argument(
        "--rtl", type=Path, metavar="DIR", help="the accelerator's Verilog: --to rtl --out DIR"
    )
    group = parser.add_argument_group("image, or its size")
    group.add_argument(
        "--image",
        metavar="FILE",
        help="a picture, or codes as .npy (default: the photograph that comes with the program, "
        "reduced)",
    )
    options.add_input_size(
        group, "of the image, or of its middle part (default: all of it; for golden 32x32)"
    )
    options.add_quantization(parser)
    options.add_machine(parser)
    group = parser.add_argument_group("what some formats take")
    group.add_argument(
        "--scales",
        choices=SCALES,
        help="qonnx, qdq: numbers that are codes, which every engine computes exactly (unit), or "
        "what they stand for, as other tools write them (real) (default: unit)",
    )
    group.add_argument(
        "--widths",
        type=layer_choices.widths,
        metavar="N,N,…",
        help="haq: widths of weights and activations that are priced (default: 2,3,4,5,6,7,8)",
    )
    group.add_argument(
        "--word-bits",
        type=_word_bits,
        metavar="N",
        help="golden: width of a word of the memory images, a multiple of 8 (default: 8)",
    )
    group.add_argument(
        "--channel-blocks",
        type=int,
        metavar="N",
        help="rtl: blocks of as many output channels as the array has columns, whose scales it has "
        "room for (default: 16)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="qonnx, qdq, qlinear, tflite: run the file in the engine that reads it and compare "
        "every output integer",
    )


def _word_bits(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) % 8 or not 8 <= int(text) <= 4096:
        raise ArgumentTypeError(f"expected a multiple of 8 up to 4096, got '{text}'")
    return int(text)
