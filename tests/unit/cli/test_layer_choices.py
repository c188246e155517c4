import re
from argparse import ArgumentTypeError
from collections.abc import Callable

import pytest

from hwsim.cli.layer_choices import allowed, layer_bits, widths
from hwsim.cli.search_options import RESOURCES
from hwsim.search import Resource
from quant.policy import LayerBits


def test_layers_may_be_allowed_widths_in_all_pairs_or_pairs() -> None:
    pattern, pairs = allowed("body.*=4,8")
    assert pattern == "body.*"
    assert [str(bits) for bits in pairs] == ["w4a4", "w4a8", "w8a4", "w8a8"]
    assert allowed("head=w8a8,w6a8") == ("head", (LayerBits(8, 8), LayerBits(6, 8)))


def test_widths_and_bits_are_read() -> None:
    assert widths("2,4,16") == (2, 4, 16)
    assert layer_bits("w3a5") == LayerBits(3, 5)


def test_every_resource_may_be_asked_for() -> None:
    assert [resource.value for resource in Resource] == list(RESOURCES)


@pytest.mark.parametrize(
    ("read", "text", "sentence"),
    [
        (widths, "2;4", "expected widths such as 2,4,8, got '2;4'"),
        (allowed, "head", "expected LAYER=BITS such as body.*=4,8 or head=w8a8, got 'head'"),
        (allowed, "=4", "expected LAYER=BITS such as body.*=4,8 or head=w8a8, got '=4'"),
        (allowed, "head=x", "expected widths such as 2,4,8, got 'x'"),
        (allowed, "head=0", "bits 'w0a0': expected 1 to 16 bits for weights, given 0; choose a "
                            "width in that range"),
        (layer_bits, "8", "bits '8': expected weight and activation bits such as 'w4a8'; "
                          "correct it"),
    ],
)  # fmt: skip
def test_what_is_no_choice_is_told(read: Callable[[str], object], text: str, sentence: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"^{re.escape(sentence)}$"):
        read(text)
