import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.search.rules import Allowed, LayerRules
from quant.common.errors import UserError
from quant.policy import LayerBits

LAYERS = ("head", "body.0", "body.1", "tail")
W4A4, W4A8, W8A8 = map(LayerBits.parse, ("w4a4", "w4a8", "w8a8"))
USUAL = (W4A4, W4A8)


def permitted(rules: LayerRules) -> list[list[str]]:
    choices = rules.with_exceptions(USUAL)
    rows = rules.permitted(LAYERS, choices, USUAL)
    return [[str(bits) for bits, may in zip(choices, row, strict=True) if may] for row in rows]


def test_without_rules_every_layer_may_have_every_usual_choice() -> None:
    assert permitted(LayerRules()) == [["w4a4", "w4a8"]] * 4
    assert LayerRules().groups(LAYERS) == ((0,), (1,), (2,), (3,))


def test_the_ends_may_be_fixed_at_bits_no_other_layer_may_have() -> None:
    rules = LayerRules(first_and_last=W8A8)
    assert rules.with_exceptions(USUAL) == (W4A4, W4A8, W8A8)
    assert permitted(rules) == [["w8a8"], ["w4a4", "w4a8"], ["w4a4", "w4a8"], ["w8a8"]]


def test_of_several_exceptions_the_last_counts_and_beats_the_ends() -> None:
    rules = LayerRules(
        (Allowed("body", (W8A8,)), Allowed("body.1", (W4A4,)), Allowed("t*", (W4A8, W8A8))),
        first_and_last=W4A4,
    )
    assert permitted(rules) == [["w4a4"], ["w8a8"], ["w4a4"], ["w4a8", "w8a8"]]


def test_tied_layers_have_what_all_of_them_may_have() -> None:
    rules = LayerRules((Allowed("head", (W4A4, W8A8)),), tied=("head", "body.0", "[hb]*0"))
    assert rules.groups(LAYERS) == ((0,), (1,), (2,), (3,))
    rules = LayerRules((Allowed("head", (W4A4, W8A8)),), tied=("[hb]*",))
    assert rules.groups(LAYERS) == ((0, 1, 2), (3,))
    assert permitted(rules) == [["w4a4"], ["w4a4"], ["w4a4"], ["w4a4", "w4a8"]]


def test_ties_that_share_a_layer_are_one() -> None:
    assert LayerRules(tied=("body.?", "*1", "tail")).groups(LAYERS) == ((0,), (1, 2), (3,))
    assert LayerRules(tied=("body", "*[1l]")).groups(LAYERS) == ((0,), (1, 2, 3))


@given(st.lists(st.sampled_from(("head", "body", "*[01]", "*l", "[ht]*", "*")), max_size=4))
def test_groups_part_the_layers(tied: list[str]) -> None:
    groups = LayerRules(tied=tuple(tied)).groups(LAYERS)
    assert sorted(layer for group in groups for layer in group) == list(range(len(LAYERS)))


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (
            LayerRules((Allowed("bdy", (W4A4,)),)),
            "layer 'bdy': expected the name or a pattern of the network's layers; ",
        ),
        (
            LayerRules(tied=("tial",)),
            "layer 'tial': expected the name or a pattern of the network's layers; ",
        ),
        (
            LayerRules((Allowed("head", (W8A8,)),), tied=("[hb]*",)),
            "tied layers head, body.0, body.1: expected bits that each of them may have, found "
            "none; allow them the same bits or untie them",
        ),
    ],
)
def test_impossible_rules_are_told(rules: LayerRules, sentence: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(sentence)}"):
        rules.permitted(LAYERS, rules.with_exceptions(USUAL), USUAL)


def test_the_mask_is_of_booleans() -> None:
    assert LayerRules().permitted(LAYERS, USUAL, USUAL).dtype == np.bool_
