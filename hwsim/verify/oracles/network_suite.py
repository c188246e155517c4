"""Whole networks, written to engines' files and run by the engines, against our layers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from hwsim.machine import KERNELS, Arithmetic, run_layerwise
from hwsim.verify.checks import Check, Progress, Tally
from hwsim.verify.first_wrong_node import first_wrong_node
from hwsim.verify.oracles.findings import Findings, load_engine
from hwsim.verify.oracles.networks import random_edsr
from hwsim.verify.oracles.processor import Need, exact_products_of_8_bits, nothing_special
from hwsim.verify.random_operators import random_codes
from quant.common.codes import CodeKind
from quant.graph import Graph, IntegerType, Size

Codes = NDArray[np.int32]

IMAGE = Size(96, 128)
"""Of random codes: 147 456 values come out of a network that enlarges by 2."""


@dataclass(frozen=True, slots=True)
class NetworkPair:
    """A convention of ours and an engine that runs whole networks in it.

    Attributes:
        oracle: the engine, as reports call it.
        mode: the convention.
        module: of this package, which imports the engine.
        integer: of the feature maps.
        ask: (module, graph, image) to the engine's output codes.
        largest_weight: magnitude up to which weights are drawn.
        need: why the engine is not asked on this processor; None where it is.
    """

    oracle: str
    mode: str
    module: str
    integer: IntegerType
    ask: Callable[[ModuleType, Graph, Codes], Codes]
    largest_weight: int = 127
    need: Callable[[], Need] = nothing_special


_SIGNED_8 = IntegerType(8, CodeKind.SIGNED)

NETWORK_PAIRS = (
    NetworkPair(
        "LiteRT reference",
        "tflite_double",
        "litert",
        _SIGNED_8,
        lambda engine, graph, image: engine.network(graph, image, engine.REFERENCE),
    ),
    NetworkPair(
        "LiteRT default",
        "xnnpack",
        "litert",
        _SIGNED_8,
        lambda engine, graph, image: engine.network(graph, image, engine.DEFAULT),
    ),
    NetworkPair(
        "ONNX Runtime, s8·s8",
        "onnxruntime",
        "onnx_runtime",
        _SIGNED_8,
        lambda engine, graph, image: engine.network(graph, image),
    ),
    NetworkPair(
        "ONNX Runtime, u8·s7",
        "onnxruntime",
        "onnx_runtime",
        IntegerType(8),
        lambda engine, graph, image: engine.network(graph, image),
        largest_weight=63,  # 2·255·63 < 2^15; see `hwsim.verify.oracles.suite`
    ),
    NetworkPair(
        "ONNX Runtime, u8·s8",
        "onnxruntime",
        "onnx_runtime",
        IntegerType(8),
        lambda engine, graph, image: engine.network(graph, image),
        need=exact_products_of_8_bits,
    ),
)


def verify_networks(
    seed: int = 0,
    blocks: int = 16,
    channels: int = 64,
    image: Size = IMAGE,
    pairs: Sequence[NetworkPair] = NETWORK_PAIRS,
    arithmetic: Arithmetic = KERNELS,
    progress: Progress | None = None,
) -> Findings:
    """Run an EDSR ×2 of random weights in each engine and compare every output code with ours.

    Args:
        seed: of weights and image.
        blocks: residual blocks; 16 of 64 channels are EDSR-baseline.
        channels: of the body.
        image: height and width of the random input.
        pairs: conventions and engines.
        arithmetic: what computes our codes.
        progress: called with pairs done and pairs in all.
    """
    findings = Findings()
    for done, pair in enumerate(pairs, 1):
        who = f"{pair.oracle} ({pair.mode}, networks)"
        engine = load_engine(pair.module, who, findings, need=pair.need())
        if engine is not None:
            graph = random_edsr(
                pair.mode,
                pair.integer,
                np.random.default_rng(seed),
                blocks,
                channels,
                largest_weight=pair.largest_weight,
            )
            codes = random_codes(np.random.default_rng(seed + 1), image, graph.input.output)
            findings.checks.append(_compare(pair, engine, graph, codes, arithmetic))
        if progress is not None:
            progress(done, len(pairs))
    return findings


def _compare(
    pair: NetworkPair, engine: ModuleType, graph: Graph, image: Codes, arithmetic: Arithmetic
) -> Check:
    tally = Tally(graph.name, pair.oracle, pair.mode)
    expected, found = run_layerwise(graph, image, arithmetic), pair.ask(engine, graph, image)
    mismatches = int(np.count_nonzero(found != expected))
    place = None
    if mismatches:
        place = first_wrong_node(
            graph, image, arithmetic, lambda shortened: pair.ask(engine, shortened, image)
        )
    tally.add(expected.size, mismatches, place)
    return tally.close()
