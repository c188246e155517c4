"""The formats of ``hwsim export``: what each is, who reads it, and which module writes it."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol, cast

from quant.common.errors import UserError, suggestion

Output = Literal["file", "folder"]


class Writer(Protocol):
    """A module that writes a format: one of its functions, the other where it is of a machine."""

    def write(self, request: Any, name: str, files: Any) -> None:
        """Write a network.

        Args:
            request: an `hwsim.export.request.ExportRequest`.
            name: of the file; what files of a folder are called is the format's own.
            files: takes every file, as `hwsim.export.request.Files`.
        """

    def write_machine(self, accelerator: Any, settings: Any, files: Any) -> None:
        """Write a machine.

        Args:
            accelerator: the machine.
            settings: `hwsim.export.request.Settings`.
            files: as above.
        """


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        summary: what is written.
        readers: who reads it.
        output: a file, or a folder of files.
        suffix: of the file.
        module: a `Writer`; imported when it is used.
        rounding: requantization mode in which a network is quantized for it, where none is named.
        as_computed: whether sums are those of the machine's accumulators.
        holds_weights: whether it holds weights, so that random ones will not do.
        needs_image: whether it holds an image's feature maps.
        of_machine: whether it holds the machine alone and no network.
        advice: what to do where a network cannot be written.
    """

    summary: str
    readers: str
    output: Output
    suffix: str
    module: str
    rounding: str | None = None
    as_computed: bool = False
    holds_weights: bool = False
    needs_image: bool = False
    of_machine: bool = False
    advice: str = "choose another format (hwsim list formats)"

    def writer(self) -> Writer:
        """The module that writes it.

        Raises:
            UserError: a package that it needs is not installed.
        """
        try:
            return cast(Writer, import_module(self.module))
        except ModuleNotFoundError as error:
            raise UserError(
                f"--to: this format needs '{error.name}', which is not installed; "
                "pip install 'hwsim[verify]'"
            ) from error


_OPERATORS = "real scales (--scales real) take wider sums, and golden takes every operator"
_ENGINE = "docs/export.md says what it takes; qdq takes more"

FORMATS: dict[str, Format] = {
    "qonnx": Format(
        "ONNX with QONNX's Quant nodes, widths of 1 to 16 bits",
        "QONNX, FINN, hls4ml, Netron",
        "file",
        ".onnx",
        "hwsim.export.onnx_files.qonnx",
        holds_weights=True,
        advice=_OPERATORS,
    ),
    "qdq": Format(
        "ONNX with QuantizeLinear and DequantizeLinear, opset 21",
        "ONNX Runtime, Netron, compilers of NPUs",
        "file",
        ".onnx",
        "hwsim.export.onnx_files.qdq",
        holds_weights=True,
        advice=_OPERATORS,
    ),
    "qlinear": Format(
        "ONNX of QLinearConv and its kin, 8-bit codes of one type",
        "ONNX Runtime, Netron",
        "file",
        ".onnx",
        "hwsim.export.onnx_files.qlinear",
        rounding="onnxruntime",
        holds_weights=True,
        advice=_ENGINE,
    ),
    "tflite": Format(
        "int8 TensorFlow Lite flatbuffer",
        "LiteRT, Arm Vela, Netron",
        "file",
        ".tflite",
        "hwsim.export.tflite_file",
        rounding="tflite_double",
        holds_weights=True,
        advice=_ENGINE,
    ),
    "scale-sim": Format(
        "topologies of convolutions and of matrix products, machine and layout",
        "SCALE-Sim 2 and 3",
        "folder",
        "",
        "hwsim.export.scale_sim",
    ),
    "zigzag": Format(
        "loop bounds and precisions of every convolution",
        "ZigZag 3",
        "file",
        ".yaml",
        "hwsim.export.zigzag",
    ),
    "timeloop": Format(
        "a problem for every convolution",
        "Timeloop 0.4",
        "folder",
        "",
        "hwsim.export.timeloop",
    ),
    "accelergy": Format(
        "action counts of one image and the table of their energies",
        "Accelergy 0.3 and 0.4",
        "folder",
        "",
        "hwsim.export.accelergy",
        as_computed=True,
    ),
    "haq": Format(
        "what every layer costs at every pair of widths: cycles, energy, bytes",
        "HAQ and other searches over bits",
        "folder",
        "",
        "hwsim.export.haq",
        as_computed=True,
    ),
    "policy": Format(
        "the bits of every layer",
        "hwsim --bits",
        "file",
        ".yaml",
        "hwsim.export.policy_file",
    ),
    "golden": Format(
        "test vectors: feature maps, weights, memory images of DRAM and SRAM",
        "test benches of RTL ($readmemh), NumPy",
        "folder",
        "",
        "hwsim.export.golden",
        as_computed=True,
        holds_weights=True,
        needs_image=True,
    ),
    "rtl": Format(
        "Verilog of a machine's units, with a top module of its parameters",
        "Verilator, Icarus, yosys",
        "folder",
        "",
        "hwsim.export.rtl",
        of_machine=True,
    ),
}
"""By the name that ``--to`` takes."""


def format_named(name: str) -> Format:
    """A format by its name.

    Raises:
        UserError: there is none.
    """
    if name not in FORMATS:
        raise UserError(f"--to {name}: no such format; {suggestion(name, FORMATS)}")
    return FORMATS[name]
