import re

import pytest

from hwsim.search.confirmation import Origin, Point
from hwsim.search.limits import Limits
from hwsim.search.measurement import Measurement
from hwsim.search.recommendation import recommend
from hwsim.search.resource import Resource
from quant.common.errors import UserError
from quant.policy import BitPolicy

PEAK = 255**2


def point(name: str, psnr_db: float, energy_uj: float, cycles: int) -> Point:
    measured = Measurement(PEAK / 10 ** (psnr_db / 10), round(energy_uj * 1e9), cycles, 0, 0)
    return Point(Origin.FRONT, name, BitPolicy.parse("w8a8"), {}, None, measured)


POINTS = (
    point("cheap", 30.0, 10.0, 900),
    point("middle", 36.0, 20.0, 700),
    point("wasteful", 36.0, 30.0, 700),
    point("best", 40.0, 50.0, 800),
)


@pytest.mark.parametrize(
    ("limits", "minimize", "name"),
    [
        (Limits(), None, "best"),
        (Limits(max_energy_uj=30.0), None, "middle"),
        (Limits(max_energy_uj=10.0), None, "cheap"),
        (Limits(max_cycles=750), None, "middle"),
        (Limits(min_psnr_db=29.9), Resource.ENERGY, "cheap"),
        (Limits(min_psnr_db=31.0), Resource.ENERGY, "middle"),
        (Limits(min_psnr_db=29.9), Resource.LATENCY, "middle"),
        (Limits(min_psnr_db=29.9, max_cycles=800), Resource.ENERGY, "middle"),
    ],
)
def test_the_best_policy_within_the_limits(
    limits: Limits, minimize: Resource | None, name: str
) -> None:
    assert recommend(POINTS, limits, minimize).label == name


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (
            Limits(max_energy_uj=9.0),
            "no measured policy has at most 9 uJ: the cheapest takes 30.00 dB at 10 uJ and 900 "
            "cycles; relax a limit or allow other widths",
        ),
        (
            Limits(min_psnr_db=41.0),
            "no measured policy has at least 41 dB: the most faithful reaches 40.00 dB at 50 uJ "
            "and 800 cycles; relax a limit or allow other widths",
        ),
        (
            Limits(max_energy_uj=25.0, max_cycles=1000, min_psnr_db=38.0),
            "no measured policy has at most 25 uJ and at most 1000 cycles and at least 38 dB: "
            "within the cost limits the best reaches 36.00 dB at 20 uJ and 700 cycles, the "
            "cheapest of that fidelity takes 40.00 dB at 50 uJ and 800 cycles; relax a limit "
            "or allow other widths",
        ),
    ],
)
def test_limits_nothing_keeps_to_are_told_with_the_nearest(limits: Limits, sentence: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(sentence)}$"):
        recommend(POINTS, limits, Resource.ENERGY)
