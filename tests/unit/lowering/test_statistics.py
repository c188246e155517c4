import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from quant.common.errors import UserError
from quant.lowering import TensorStatistics, observe
from quant.lowering.execution import Execution
from quant.lowering.statistics import _merged, _statistics
from quant.lowering.trace import trace
from tests.unit.lowering.small_networks import edsr, picture

VALUES = arrays.arrays(
    np.float32, st.integers(1, 60), elements=st.floats(-(2.0**20), 2.0**20, width=32)
)


@given(VALUES, st.floats(0, 100))
def test_percentiles_come_close_and_never_cut_too_much(values: np.ndarray, percent: float) -> None:
    statistics = _statistics(values, histograms=True)
    exact = float(np.sort(values)[max(int(np.ceil(percent / 100 * values.size)) - 1, 0)])
    # Values are told apart to 7 bits behind the leading one; the outer edge is returned.
    assert abs(statistics.percentile(percent) - exact) <= abs(exact) / 128 + 1e-37
    assert statistics.low <= statistics.percentile(percent) <= statistics.high


@given(VALUES, VALUES)
def test_statistics_of_parts_are_those_of_the_whole(one: np.ndarray, other: np.ndarray) -> None:
    merged = _merged(_statistics(one, True), _statistics(other, True))
    whole = _statistics(np.concatenate([one, other]), True)
    assert (merged.low, merged.high) == (whole.low, whole.high)
    np.testing.assert_array_equal(merged.histogram, whole.histogram)


def test_percentiles_need_a_histogram() -> None:
    with pytest.raises(ValueError, match="expected statistics with a histogram"):
        TensorStatistics(0.0, 1.0, np.zeros(0, np.int64)).percentile(99)


def test_observing_notes_the_extremes_of_every_feature_map() -> None:
    network = trace(edsr())
    images = [picture(seed=0), picture(9, 30, seed=1)]
    progress: list[tuple[int, int]] = []
    seen = observe(network, images, histograms=True, progress=lambda *done: progress.append(done))
    assert progress == [(1, 2), (2, 2)]
    maps = [dict(Execution(network).feature_maps(image)) for image in images]
    assert list(seen) == [node.name for node in network.nodes]
    for name, statistics in seen.items():
        assert statistics.low == min(float(one[name].min()) for one in maps)
        assert statistics.high == max(float(one[name].max()) for one in maps)
        assert statistics.histogram.sum() == sum(one[name].numel() for one in maps)


def test_observing_twice_gives_the_same() -> None:
    network = trace(edsr())
    one, other = (observe(network, [picture()]) for _ in range(2))
    assert {name: (s.low, s.high) for name, s in one.items()} == {
        name: (s.low, s.high) for name, s in other.items()
    }


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "calibration: expected at least one image, got none; give some"),
        (
            [picture(), picture()[:, :, :1]],
            "calibration image 2: expected uint8, height x width x 3, got uint8 (17, 22, 1); "
            "convert it",
        ),
        (
            [picture().astype(np.float64)],
            "calibration image 1: expected uint8, height x width x 3, got float64 (17, 22, 3); "
            "convert it",
        ),
    ],
)
def test_images_that_do_not_fit_are_refused(images: list[np.ndarray], message: str) -> None:
    with pytest.raises(UserError) as raised:
        observe(trace(edsr()), images)
    assert str(raised.value) == message


def test_a_network_that_overflows_is_refused() -> None:
    network = edsr()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1e20)
    with pytest.raises(UserError, match=r"^network layer 'head\.0': expected finite values"):
        observe(trace(network), [picture()])
