"""The modes equal the engines they are named after, and the comparison can fail."""

from dataclasses import replace
from typing import Any

import pytest

from hwsim.verify.operator_case import OperatorCase
from hwsim.verify.oracles import findings, processor
from hwsim.verify.oracles.suite import PAIRS, UNROUNDED, Pair, verify_oracles
from quant.graph import Multiply
from quant.interchange.derivation import ADDITIONS

PACKAGES = {
    "litert": "ai_edge_litert",
    "litert_models": "ai_edge_litert",
    "litert_operators": "ai_edge_litert",
    "onnx_operators": "onnxruntime",
    "onnx_runtime": "onnxruntime",
    "torch_quantized": "torch",
    "tosa": "tosa_reference_model",
    "qonnx_quant": "qonnx",
}

by_pair = pytest.mark.parametrize(
    "pair",
    PAIRS,
    ids=lambda pair: f"{pair.operator.name} {pair.mode} = {pair.oracle}".replace(" ", "_"),
)


def need(pair: Pair) -> None:
    package = PACKAGES[pair.module]
    pytest.importorskip(
        package, reason=f"{pair.oracle} needs {package}: pip install '{pair.package}'"
    )
    if (reason := pair.need()) is not None:
        pytest.skip(f"{pair.oracle}: {reason}")


@by_pair
def test_the_mode_equals_its_engine(pair: Pair) -> None:
    need(pair)
    found = verify_oracles(pairs=[pair])
    (check,) = found.checks
    assert found.missing == []
    assert (check.oracle, check.mode) == (pair.oracle, pair.mode)
    assert check.values >= 100_000
    assert check.first_mismatch is None
    assert check.mismatches == 0


OTHER_MODES = {
    "tflite_double": ("tflite_single", "tflite_neon", "xnnpack", "half_away"),
    "tflite_neon": ("tflite_double", "half_up"),
    "tflite_s64": ("half_up", "tflite_double"),
    "xnnpack": ("onednn", "half_up"),
    "onnxruntime": ("onednn", "half_up"),
    "qnnpack": ("onednn", "xnnpack", "half_up"),
    "onednn": ("xnnpack", "dyadic"),
}


OTHER_ROUNDINGS = {
    "tflite_single": ("tflite_double", "half_away"),
    "tflite_double": ("tflite_single", "tflite_neon"),
    "half_even": ("half_up", "half_away"),
    "half_away": ("half_up", "half_even"),
    "floor": ("trunc_zero", "half_down"),
    "ceil": ("floor", "half_up"),
    "trunc_zero": ("floor", "half_even"),
}


@by_pair
def test_other_modes_do_not_equal_that_engine(pair: Pair) -> None:
    """Else the comparison would not tell them apart."""
    need(pair)
    other_modes = {
        "add": tuple(ADDITIONS),
        "convolution": OTHER_MODES.get(pair.mode, ()),
        "requantize": OTHER_ROUNDINGS.get(pair.mode, ()),
        "convolution of any geometry": ("onednn",),
        "global average pool": ("onednn",),
    }.get(pair.operator.name, ("tflite_single", "half_up"))
    float_product = pair.module == "onnx_operators" and pair.operator.name == "multiply"
    if pair.mode == UNROUNDED or float_product:
        return  # nothing is rounded; what takes that scale rounds alike, see the next test
    assert other_modes
    for mode in set(other_modes) - {pair.mode}:
        (check,) = verify_oracles(pairs=[replace(pair, mode=mode)], values=50_000).checks
        assert 0 < check.mismatches < check.values, mode
        assert check.first_mismatch is not None


def test_onnx_runtimes_multiplication_adds_the_zero_point_first() -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is part of the extra [verify]")
    (pair,) = (
        pair
        for pair in PAIRS
        if (pair.module, pair.operator.name) == ("onnx_operators", "multiply")
    )

    def zero_point_last(case: Any, mode: str) -> OperatorCase:
        ours = pair.operator.ours(case, mode)
        assert isinstance(ours.operator, Multiply)
        scaling = replace(ours.operator.requantization, zero_point_first=False)
        return replace(ours, operator=replace(ours.operator, requantization=scaling))

    last = replace(pair, operator=replace(pair.operator, ours=zero_point_last))
    (check,) = verify_oracles(pairs=[last]).checks
    assert 0 < check.mismatches < check.values // 100


@pytest.mark.parametrize(
    ("machine", "features", "is_asked"),
    [
        ("x86_64", {}, False),
        ("x86_64", {"avx512vnni": True}, True),
        ("AMD64", {"avxvnni": True, "avx512vnni": False}, True),
        ("aarch64", {}, True),
    ],
)
def test_products_that_would_saturate_are_not_asked_for(
    machine: str, features: dict[str, bool], is_asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor.platform, "machine", lambda: machine)
    monkeypatch.setattr(processor, "get_host_cpu_features", lambda: features)
    need = processor.exact_products_of_8_bits.__wrapped__()
    assert (need is None) == is_asked
    if not is_asked:
        found = verify_oracles(pairs=[replace(PAIRS[0], need=lambda: need)])
        assert found.checks == []
        assert found.missing == [
            "LiteRT reference (tflite_double): not asked, for this processor has no VNNI, without "
            "which sums of two products saturate at 16 bits"
        ]


@pytest.mark.parametrize(
    ("features", "is_asked"),
    [
        ({"avx2": True}, True),
        ({"avx512f": True, "avx512vnni": True}, False),
        ({"avx512f": True, "avx512vnni": True, "amx-int8": True}, True),
    ],
)
def test_onednn_is_asked_where_it_multiplies_by_one_product_of_scales(
    features: dict[str, bool], is_asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "get_host_cpu_features", lambda: features)
    need = processor.one_product_of_scales.__wrapped__()
    assert (need is None) == is_asked
    if not is_asked:
        assert need == (
            "on this processor oneDNN multiplies by input and weight scale one after the other"
        )


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str) -> None:
        raise ModuleNotFoundError("No module named 'tflite'", name="tflite")

    monkeypatch.setattr(findings, "import_module", missing)
    found = verify_oracles(pairs=PAIRS[:1])
    assert found.checks == []
    assert found.missing == [
        "LiteRT reference (tflite_double): not asked, for 'tflite' is not installed; "
        "pip install 'hwsim[verify]'"
    ]
