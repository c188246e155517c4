"""Which engine judges which requantization mode, on which codes, and the comparison itself.

Where an engine's instructions saturate 16-bit sums of two products (``vpmaddubsw``, on x86
processors without VNNI), its codes are drawn so that no such sum can leave 16 bits: the comparison
is of roundings, and holds on every processor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.machine import KERNELS
from hwsim.verify.checks import Check, Progress, Tally
from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.oracles.addition_cases import our_addition, random_addition
from hwsim.verify.oracles.cases import Codes, our_convolution, our_sums, random_convolution
from hwsim.verify.oracles.findings import EXTRA, Findings, load_engine
from hwsim.verify.oracles.processor import (
    Need,
    exact_products_of_8_bits,
    nothing_special,
    one_product_of_scales,
)
from hwsim.verify.oracles.rescale_cases import our_rescale, random_rescale, random_shift
from quant.common.codes import CodeKind
from quant.graph import IntegerType

VALUES_PER_PAIR = 100_000
"""Output integers compared for each mode and oracle, at least."""


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator on certain codes.

    Attributes:
        name: as reports call it.
        draw: a random case.
        ours: (case, mode) to the case in our operators.
    """

    name: str
    draw: Callable[[np.random.Generator], Any]
    ours: Callable[[Any, str], OperatorCase]


@dataclass(frozen=True, slots=True)
class Pair:
    """A mode of ours and an engine that computes it.

    Attributes:
        oracle: the engine, as reports call it.
        mode: the requantization mode.
        module: of this package, which imports the engine.
        operator: what is compared.
        ask: (module, case) to the engine's output codes.
        package: what installs the engine.
        need: why the engine is not asked on this processor; None where it is.
    """

    oracle: str
    mode: str
    module: str
    operator: Operator
    ask: Callable[[ModuleType, Any], NDArray[np.int32]]
    package: str = EXTRA
    need: Callable[[], Need] = nothing_special


def _convolution(codes: Codes) -> Operator:
    return Operator(
        "convolution", lambda random: random_convolution(random, codes), our_convolution
    )


def _addition(integer: IntegerType, *, relu: bool) -> Operator:
    return Operator("add", lambda random: random_addition(random, integer, relu=relu), our_addition)


_SIGNED_8 = IntegerType(8, CodeKind.SIGNED)
_ADDITION = _addition(_SIGNED_8, relu=True)
# Nor has QLinearAdd.
_ONNX_ADDITION_SIGNED = _addition(_SIGNED_8, relu=False)
_ONNX_ADDITION_UNSIGNED = _addition(IntegerType(8), relu=False)
_SIGNED = _convolution(Codes())
_SIGNED_16 = _convolution(
    Codes(IntegerType(16, CodeKind.SIGNED), largest_input=2**15 - 1, symmetric=True)
)
# QLinearConv has no activation of its own. 2·255·63 < 2^15.
_ONNX_SIGNED = _convolution(Codes(relu=False))
_ONNX_UNSIGNED = _convolution(
    Codes(IntegerType(8), largest_input=255, largest_weight=63, relu=False)
)
_ONNX_UNSIGNED_SIGNED = _convolution(Codes(IntegerType(8), largest_input=255, relu=False))
_ONNX_UNSIGNED_WEIGHTS = Codes(IntegerType(8), largest_input=255, unsigned_weights=True, relu=False)
_ONNX_UNSIGNED_UNSIGNED = _convolution(_ONNX_UNSIGNED_WEIGHTS)
_ONNX_SUMS = Operator(
    "sums of a convolution",
    lambda random: random_convolution(random, _ONNX_UNSIGNED_WEIGHTS),
    our_sums,
)
# 2·127·127 < 2^15, what torch calls a reduced range.
_TORCH = _convolution(Codes(IntegerType(8), largest_input=127, bias=False))

_RESCALE = Operator("requantize", random_rescale, our_rescale)
_SHIFT = Operator("requantize", random_shift, our_rescale)


def _drawn_by(module: str, oracle: str, kind: str, mode: str = "tflite_double") -> Pair:
    """A kind of operator that a module both draws and asks an engine for."""

    def draw(random: np.random.Generator) -> Any:
        # Not above: it needs the engine's packages, and is called once they are there.
        return import_module(f"hwsim.verify.oracles.{module}").draw(kind, random)

    def ours(case: Any, mode: str) -> OperatorCase:
        made: OperatorCase = import_module(f"hwsim.verify.oracles.{module}").ours(case, mode)
        return made

    return Pair(
        oracle,
        mode,
        module,
        Operator(kind, draw, ours),
        lambda engine, case: engine.codes(case),
    )


UNROUNDED = "none"
"""The mode of operators that round nothing."""
MODEL_KINDS = {
    "depthwise convolution": "tflite_double",
    "transposed convolution": "tflite_double",
    "prelu": "tflite_double",
    "relu": "tflite_double",
    "relu6": "tflite_double",
    "quantize": "tflite_double",
    "slice": UNROUNDED,
    "convolution, 16×8": "tflite_s64",
    "depthwise convolution, 16×8": "tflite_s64",
    "transposed convolution, 16×8": "tflite_s64",
    "leaky relu, 16×8": "tflite_double",
    "relu, 16×8": "tflite_double",
    "relu6, 16×8": "tflite_double",
    "quantize, 16×8": "tflite_double",
    "nearest resize, 16×8": UNROUNDED,
}
"""Of `hwsim.verify.oracles.litert_models`, which our reader makes of models, and their modes."""
OPERATOR_KINDS = {
    "strided and dilated convolution": "tflite_double",
    "leaky relu": "tflite_double",
    "multiply": "tflite_double",
    "bilinear resize": "half_away",
    "bilinear resize, half-pixel centers": "half_away",
    "average pool": "half_away",
    "logistic": UNROUNDED,
    "tanh": UNROUNDED,
    "concatenate": UNROUNDED,
    "pixel shuffle": UNROUNDED,
    "nearest resize": UNROUNDED,
}
"""Of `hwsim.verify.oracles.litert_operators`, and their modes."""
ONNX_KINDS = {
    "convolution of any geometry": "onnxruntime",
    "multiply": "onnxruntime",
    "global average pool": "onnxruntime",
    "concatenate": UNROUNDED,
    "pixel shuffle, dcr": UNROUNDED,
    "pixel shuffle, crd": UNROUNDED,
}
"""Of `hwsim.verify.oracles.onnx_operators`, and their modes."""


def _onnx(
    codes: str,
    operator: Operator,
    mode: str = "onnxruntime",
    ask: str = "convolution",
    need: Callable[[], Need] = nothing_special,
) -> Pair:
    """ONNX Runtime on codes of some types, asked by a function of its module."""
    return Pair(
        f"ONNX Runtime, {codes}",
        mode,
        "onnx_runtime",
        operator,
        lambda engine, case: getattr(engine, ask)(case),
        need=need,
    )


def _tosa(mode: str, rounding: str) -> Pair:
    return Pair(
        "TOSA reference model",
        mode,
        "tosa",
        _RESCALE,
        lambda engine, case: engine.rescale(case, getattr(engine, rounding)),
        "tosa-tools",
    )


def _qonnx(mode: str, rounding: str) -> Pair:
    return Pair(
        "QONNX IntQuant",
        mode,
        "qonnx_quant",
        _SHIFT,
        lambda engine, case: engine.quantize(case, rounding),
    )


PAIRS = (
    Pair(
        "LiteRT reference",
        "tflite_double",
        "litert",
        _SIGNED,
        lambda engine, case: engine.convolution(case, engine.REFERENCE),
    ),
    Pair(
        "LiteRT reference, 16×8",
        "tflite_s64",
        "litert",
        _SIGNED_16,
        lambda engine, case: engine.convolution(case, engine.REFERENCE),
    ),
    Pair(
        "LiteRT optimized",
        "tflite_neon",
        "litert",
        _SIGNED,
        lambda engine, case: engine.convolution(case, engine.OPTIMIZED),
    ),
    Pair(
        "LiteRT default",
        "xnnpack",
        "litert",
        _SIGNED,
        lambda engine, case: engine.convolution(case, engine.DEFAULT),
    ),
    Pair(
        "LiteRT reference",
        "tflite_double",
        "litert",
        _ADDITION,
        lambda engine, case: engine.addition(case, engine.REFERENCE),
    ),
    Pair(
        "LiteRT default",
        "xnnpack",
        "litert",
        _ADDITION,
        lambda engine, case: engine.addition(case, engine.DEFAULT),
    ),
    _onnx("s8·s8", _ONNX_SIGNED),
    _onnx("u8·s7", _ONNX_UNSIGNED),
    _onnx("u8·s8", _ONNX_UNSIGNED_SIGNED, need=exact_products_of_8_bits),
    _onnx("u8·u8", _ONNX_UNSIGNED_UNSIGNED, need=exact_products_of_8_bits),
    _onnx("u8·u8", _ONNX_SUMS, UNROUNDED, "sums", exact_products_of_8_bits),
    _onnx("s8", _ONNX_ADDITION_SIGNED, ask="addition"),
    _onnx("u8", _ONNX_ADDITION_UNSIGNED, ask="addition"),
    Pair(
        "torch onednn",
        "onednn",
        "torch_quantized",
        _TORCH,
        lambda engine, case: engine.convolution(case, "onednn"),
        need=one_product_of_scales,
    ),
    Pair(
        "torch fbgemm",
        "xnnpack",
        "torch_quantized",
        _TORCH,
        lambda engine, case: engine.convolution(case, "fbgemm"),
    ),
    Pair(
        "torch qnnpack",
        "qnnpack",
        "torch_quantized",
        _TORCH,
        lambda engine, case: engine.convolution(case, "qnnpack"),
    ),
    *(
        _drawn_by("litert_models", "LiteRT reference", kind, mode)
        for kind, mode in MODEL_KINDS.items()
    ),
    *(
        _drawn_by("litert_operators", "LiteRT reference", kind, mode)
        for kind, mode in OPERATOR_KINDS.items()
    ),
    *(
        _drawn_by("onnx_operators", "ONNX Runtime, s8", kind, mode)
        for kind, mode in ONNX_KINDS.items()
    ),
    _tosa("tflite_single", "SINGLE"),
    _tosa("tflite_double", "DOUBLE"),
    _qonnx("half_even", "ROUND"),
    _qonnx("half_away", "HALF_UP"),
    _qonnx("floor", "FLOOR"),
    _qonnx("ceil", "CEIL"),
    _qonnx("trunc_zero", "DOWN"),
)


def verify_oracles(
    seed: int = 0,
    values: int = VALUES_PER_PAIR,
    pairs: Sequence[Pair] = PAIRS,
    progress: Progress | None = None,
) -> Findings:
    """Compare every mode with the engines that compute it, on random operators.

    Args:
        seed: of the cases; the same seed gives the same ones.
        values: output integers to compare for each pair, at least.
        pairs: modes and engines.
        progress: called with pairs done and pairs in all.
    """
    findings = Findings([], [])
    for done, pair in enumerate(pairs, 1):
        who = f"{pair.oracle} ({pair.mode})"
        engine = load_engine(pair.module, who, findings, pair.package, pair.need())
        if engine is not None:
            findings.checks.append(_compare(pair, engine, seed, values))
        if progress is not None:
            progress(done, len(pairs))
    return findings


def _compare(pair: Pair, engine: ModuleType, seed: int, values: int) -> Check:
    random = np.random.default_rng(seed)
    operator = pair.operator
    tally = Tally(operator.name, pair.oracle, pair.mode)
    while tally.values < values:
        case = operator.draw(random)
        ours = operator.ours(case, pair.mode)
        where = f"{operator.name}, case {tally.cases} ({ours.description})"
        tally.compare(where, pair.ask(engine, case), ours.compute(KERNELS), ours.explain)
    return tally.close()
