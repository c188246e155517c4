"""What a bench wrote is read back, whoever ran it."""

from pathlib import Path

import numpy as np
import pytest

from hwsim.verify.rtl.bench import Bench, bench_of
from hwsim.verify.rtl.bench_results import parse_results
from hwsim.verify.rtl.outcome import Unknown
from quant.common.errors import UserError
from tests.rtl.designs import adder
from tests.rtl.test_bench import job, operands

LINES = """\
vectors {stamp}
0 unknown sum_valid 1
0 output sum 4 1FFFFF
0 output sum 5 00x00a
0 taken a 2
0 taken b 1
0 end 30 3
1 taken a 0
1 taken b 0
1 end 16 -1
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of(adder(tmp_path), [job(*operands(2)), job(*operands(0))])


def test_lines(bench: Bench) -> None:
    first, second = parse_results(bench, LINES.format(stamp=bench.stamp), "results.txt")
    np.testing.assert_array_equal(first.outputs["sum"], [[0x1FFFFF], [0xA]])
    np.testing.assert_array_equal(first.cycles["sum"], [1, 2])
    assert first.taken == {"a": 2, "b": 1}
    assert first.unknown == (Unknown("sum_valid", -2, None), Unknown("sum", 2, 1))
    assert (first.simulated_cycles, second.simulated_cycles) == (30, 16)
    assert second.outputs["sum"].shape == (0, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "0 taken a 2",
            "0 took a 2",
            "line 5: expected a line that .*, found '0 took",
        ),
        ("0 output sum 4", "0 output sum four", "line 3: expected a line"),
        ("0 output sum 4", "0 output product 4", "line 3: expected a line"),
        ("1FFFFF", "1FFFFG", "line 3: expected a line"),
        ("1FFFFF", "11FFFFF", "line 3: expected a line"),
        ("1 taken a 0", "2 taken a 0", "line 8: expected a line"),
        ("1 taken a 0", "-1 taken a 0", "line 8: expected a line"),
        ("1 end 16 -1\n", "", "no end of job 1; run the bench until it finishes"),
    ],
)
def test_other_lines(old: str, new: str, message: str, bench: Bench) -> None:
    text = LINES.format(stamp=bench.stamp)
    with pytest.raises(UserError, match=rf"^results\.txt.*{message}"):
        parse_results(bench, text.replace(old, new), "results.txt")


def test_results_of_another_bench(bench: Bench, tmp_path: Path) -> None:
    """Of other operands, or of the same through other ports."""
    lines = LINES.format(stamp=bench.stamp)
    others = bench_of(adder(tmp_path), [job(*operands(2, seed=1)), job(*operands(0))])
    wanted = rf"line 1: expected 'vectors {others.stamp}', found 'vectors {bench.stamp}'; give the"
    with pytest.raises(UserError, match=wanted):
        parse_results(others, lines, "results.txt")
    with pytest.raises(UserError, match=r"line 1: expected 'vectors .*, found ''"):
        parse_results(bench, "", "results.txt")
