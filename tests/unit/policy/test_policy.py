from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quant.common.errors import UserError
from quant.policy import BitPolicy, LayerBits, Override, policy_names

EDSR = ["head.0", "body.0.body.0", "body.0.body.2", "body.1.body.0", "body.1.body.2", "tail.1"]

WIDTHS = st.integers(1, 16)
LAYER_BITS = st.builds(LayerBits, WIDTHS, WIDTHS)
PATTERNS = st.text(min_size=1, max_size=8).filter(str.isprintable)
POLICIES = st.builds(
    BitPolicy,
    LAYER_BITS,
    st.none() | LAYER_BITS,
    st.dictionaries(PATTERNS, LAYER_BITS, max_size=4).map(
        lambda layers: tuple(Override(pattern, bits) for pattern, bits in layers.items())
    ),
    st.integers(2, 16),
)


def resolved(policy: BitPolicy) -> list[str]:
    return [str(bits) for bits in policy.resolve(EDSR).values()]


@pytest.mark.parametrize(
    ("text", "edge", "inner"),
    [
        ("w4a4", "w8a8", "w4a4"),
        ("w4a4/all", "w4a4", "w4a4"),
        ("w12a12", "w12a12", "w12a12"),
        ("w2a12", "w8a12", "w2a12"),
        ("w1a1/all", "w1a1", "w1a1"),
    ],
)
def test_a_spelling_keeps_the_edges_at_eight_bits_unless_told(
    text: str, edge: str, inner: str
) -> None:
    assert resolved(BitPolicy.parse(text)) == [edge, inner, inner, inner, inner, edge]
    assert str(BitPolicy.parse(text)) == text


@given(LAYER_BITS)
def test_bits_are_read_back_from_their_spelling(bits: LayerBits) -> None:
    assert LayerBits.parse(str(bits)) == bits


@pytest.mark.parametrize("text", ["", "w4", "a4w4", "W4A4", "w4a4 ", "w4a", "w4a4/al", "w٤a4"])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"expected weight and activation bits such as 'w4a8'"):
        BitPolicy.parse(text)


@pytest.mark.parametrize(
    ("text", "what", "bits"),
    [("w0a4", "weights", 0), ("w17a4", "weights", 17), ("w4a32", "activations", 32)],
)
def test_widths_outside_1_to_16_are_refused(text: str, what: str, bits: int) -> None:
    with pytest.raises(UserError) as raised:
        BitPolicy.parse(text)
    assert str(raised.value) == (
        f"bits '{text}': expected 1 to 16 bits for {what}, given {bits}; "
        "choose a width in that range"
    )


@pytest.mark.parametrize("bits", [1, 17])
def test_residual_bits_outside_2_to_16_are_refused(bits: int) -> None:
    with pytest.raises(UserError, match=f"^residual_bits: expected 2 to 16, given {bits}; choose"):
        BitPolicy(LayerBits(8, 8), residual_bits=bits)


@pytest.mark.parametrize(("text", "bits"), [("w4a4", 12), ("w8a12/all", 12), ("w8a14", 14)])
def test_residual_bits_follow_wide_activations(text: str, bits: int) -> None:
    assert BitPolicy.parse(text).residual_bits == bits


# Overrides.


@pytest.mark.parametrize(
    ("pattern", "fitting"),
    [
        ("head.0", [0]),
        ("head", [0]),
        ("body.*.body.0", [1, 3]),
        ("body.1", [3, 4]),
        ("body", [1, 2, 3, 4]),
        ("*.0", [0, 1, 3, 2]),
        ("*", [0, 1, 2, 3, 4, 5]),
        ("body.[1-9]", [3, 4]),
        ("tail.?", [5]),
    ],
)
def test_a_pattern_fits_layers_and_the_modules_around_them(
    pattern: str, fitting: list[int]
) -> None:
    bits = resolved(BitPolicy.parse("w8a8").with_layer(pattern, LayerBits(3, 5)))
    assert [index for index, text in enumerate(bits) if text == "w3a5"] == sorted(fitting)


def test_of_several_overrides_the_last_counts() -> None:
    policy = BitPolicy.parse("w8a8").with_layer("body", LayerBits(4, 4))
    policy = policy.with_layer("*.body.2", LayerBits(2, 2)).with_layer("body.1", LayerBits(6, 6))
    assert resolved(policy) == ["w8a8", "w4a4", "w2a2", "w6a6", "w6a6", "w8a8"]
    policy = policy.with_layer("body", LayerBits(3, 3))
    assert resolved(policy) == ["w8a8", "w3a3", "w3a3", "w3a3", "w3a3", "w8a8"]
    assert [override.pattern for override in policy.overrides] == ["*.body.2", "body.1", "body"]


def test_an_override_counts_more_than_first_and_last() -> None:
    policy = BitPolicy.parse("w4a4").with_layer("head", LayerBits(2, 2))
    assert resolved(policy)[0] == "w2a2"


def test_a_network_of_one_layer_or_none() -> None:
    assert BitPolicy.parse("w4a4").resolve(["only"]) == {"only": LayerBits(8, 8)}
    assert BitPolicy.parse("w4a4").resolve([]) == {}


def test_an_override_that_fits_nothing_is_refused() -> None:
    policy = BitPolicy.parse("w4a4").with_layer("body.0.body.1", LayerBits(2, 2))
    with pytest.raises(UserError) as raised:
        policy.resolve(EDSR)
    assert str(raised.value).startswith(
        "policy layer 'body.0.body.1': expected the name or a pattern of the network's layers; "
        "did you mean 'body.0.body.2' or 'body.0.body.0'?"
    )


def test_a_pattern_given_twice_is_a_mistake_of_the_program() -> None:
    override = Override("head", LayerBits(8, 8))
    with pytest.raises(ValueError, match="expected each pattern once"):
        BitPolicy(LayerBits(4, 4), overrides=(override, override))


# Files.


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(policy=POLICIES)
def test_yaml_is_read_back_equal(policy: BitPolicy, tmp_path: Path) -> None:
    assert BitPolicy.load(written(tmp_path, policy.to_yaml())) == policy


def test_a_file_with_everything(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "default: w4a4\nfirst_and_last: w8a10\nlayers:\n  head: w6a8\n  'body.*.body.0': w2a4\n"
        "residual_bits: 10\n",
    )
    policy = BitPolicy.load(str(path))
    assert resolved(policy) == ["w6a8", "w2a4", "w4a4", "w2a4", "w4a4", "w8a10"]
    assert policy.residual_bits == 10
    assert str(policy) == "w4a4, first and last w8a10, 2 overrides, residual 10"


def test_a_default_in_a_file_means_what_it_means_on_the_command_line(tmp_path: Path) -> None:
    for text in ("w4a4", "w4a4/all"):
        assert BitPolicy.load(written(tmp_path, f"default: {text}\n")) == BitPolicy.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "default: w4\n",
            "1: bits 'w4': expected weight and activation bits such as 'w4a8'; correct it",
        ),
        (
            "default: w4a4\nfirst_and_last: w8a99\n",
            "2: bits 'w8a99': expected 1 to 16 bits for activations, given 99; "
            "choose a width in that range",
        ),
        (
            "default: w4a4\nlayers:\n  head: w8a8\n  tail: w0a8\n",
            "4: bits 'w0a8': expected 1 to 16 bits for weights, given 0; "
            "choose a width in that range",
        ),
        (
            "default: w4a4\nresidual_bits: 40\n",
            "2: residual_bits: expected 2 to 16, given 40; choose a width in that range",
        ),
        ("first_and_last: w8a8\n", "1: default: missing; add 'default: …'"),
        (
            "default: w4a4\nlayer: {}\n",
            "2: layer: unknown key; did you mean 'layers'?",
        ),
        ("default: 8\n", "1: default: expected text, got 8"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserError) as raised:
        BitPolicy.load(path)
    assert str(raised.value) == f"{path}:{message}"


def test_an_unknown_layer_in_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "default: w4a4\nlayers:\n  neck: w8a8\n")
    policy = BitPolicy.load(path)
    with pytest.raises(UserError) as raised:
        policy.resolve(EDSR)
    assert str(raised.value).startswith(f"{path}:3: policy layer 'neck': expected the name or")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "edges8_w4a",
            "bit policy 'edges8_w4a': expected a spelling such as 'w4a8', a .yaml file ",
        ),
        ("w4a44", "bits 'w4a44': expected 1 to 16 bits for activations, given 44"),
        ("nothing.yaml", "nothing.yaml: no such bit policy file; check the path"),
        ("some/folder", "some/folder: no such bit policy file; check the path"),
        ("", "bit policy '': expected a spelling"),
    ],
)
def test_what_is_no_policy_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        BitPolicy.load(text)
    assert str(raised.value).startswith(message)


def test_a_spelling_is_a_policy_to_load() -> None:
    for text in ("w4a4", "w4a4/all"):
        assert BitPolicy.load(text) == BitPolicy.parse(text)


@pytest.mark.parametrize("name", policy_names())
def test_every_shipped_policy_loads_by_name(name: str) -> None:
    assert BitPolicy.load(name).default


def test_the_shipped_policies_are_found() -> None:
    assert "edges8_w4a4" in policy_names()
    assert BitPolicy.load("edges8_w4a4") == BitPolicy.parse("w4a4")
