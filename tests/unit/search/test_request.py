import pytest

from hwsim.search.limits import Limits
from hwsim.search.request import SearchRequest
from hwsim.search.resource import Resource
from quant.common.errors import UserError
from quant.graph import Size
from quant.policy import BitPolicy, LayerBits

LAYERS = ("head", "body.0", "body.1", "tail")


def request(**changes: object) -> SearchRequest:
    return SearchRequest(Size(8, 8), **changes)  # type: ignore[arg-type]


def test_choices_are_all_pairs_of_widths() -> None:
    assert [str(bits) for bits in request(widths=(2, 8)).choices] == [
        "w2a2",
        "w2a8",
        "w8a2",
        "w8a8",
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"widths": ()}, "widths: expected each width once, given none"),
        ({"widths": (4, 8, 4)}, "widths: expected each width once, given 4, 8, 4"),
        ({"widths": (0, 8)}, "expected 1 to 16 bits"),
        ({"widths": (17,)}, "expected 1 to 16 bits"),
        ({"front_points": 1}, "front points: expected at least 2"),
        (
            {"minimize": Resource.DRAM},
            "minimize dram: expected a least fidelity too, given none, and the narrowest widths "
            "cost least; give --min-psnr",
        ),
        (
            {
                "minimize": Resource.DRAM,
                "against": Resource.SRAM,
                "limits": Limits(min_psnr_db=30.0),
            },
            "minimize dram: expected the front against the same resource, given sram; leave "
            "--against out",
        ),
    ],
)
def test_impossible_requests_are_told_in_a_sentence(
    changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        request(**changes)


def test_uniform_policies_keep_the_first_and_last_layer_at_eight_bits() -> None:
    bits = request().uniform_policy(3).resolve(LAYERS)
    assert [str(chosen) for chosen in bits.values()] == ["w8a8", "w3a3", "w3a3", "w8a8"]


def test_a_policy_of_given_bits_resolves_to_them_and_survives_yaml() -> None:
    bits = dict(zip(LAYERS, map(LayerBits.parse, ("w8a8", "w4a4", "w4a4", "w2a6")), strict=True))
    policy = request(residual_bits=12).policy(bits)
    assert policy.resolve(LAYERS) == bits
    assert policy.default == LayerBits(4, 4)
    assert policy.residual_bits == 12
    assert len(policy.overrides) == 2


def test_every_policy_of_a_request_has_its_residual_bits() -> None:
    wanted = request(residual_bits=9)
    policies: list[BitPolicy] = [wanted.base_policy, wanted.uniform_policy(4)]
    assert [policy.residual_bits for policy in policies] == [9, 9]


@pytest.mark.parametrize(
    ("changes", "resource"),
    [
        ({}, Resource.ENERGY),
        ({"limits": Limits(max_dram_bytes=9)}, Resource.DRAM),
        ({"limits": Limits(max_dram_bytes=9), "against": Resource.SRAM}, Resource.SRAM),
        ({"limits": Limits(min_psnr_db=9.0), "minimize": Resource.LATENCY}, Resource.LATENCY),
    ],
)
def test_the_front_is_against_what_matters(changes: dict[str, object], resource: Resource) -> None:
    assert request(**changes).resource is resource


def test_uniform_policies_are_within_the_widths() -> None:
    widths = [
        policy.default.weight_bits
        for policy in SearchRequest(Size(8, 8), widths=(6, 3)).uniform_policies
    ]
    assert widths == [3, 4, 5, 6]
    assert len(SearchRequest(Size(8, 8), uniform_widths=(2,)).uniform_policies) == 1
