"""Weight scales found again from a graph's integers, or refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.common.requantization import Requantization
from quant.common.rescaling import rescaling
from quant.interchange.recovery import weight_scales

MODES = ("tflite_double", "xnnpack", "onnxruntime", "qnnpack", "onednn")
scales = st.floats(2.0**-20, 2.0**4, width=32)


def derived(mode: str, input_scale: float, weights: list[float], output: float) -> Requantization:
    found = rescaling(mode, input_scale, weights, output)
    return Requantization(
        found.multiplier, found.shift, 0, -128, 127, mode, found.destination_scale
    )


@given(
    mode=st.sampled_from(MODES),
    input_scale=scales,
    weights=st.lists(scales, min_size=1, max_size=5),
    output=scales,
)
def test_what_is_found_gives_the_same_integers(
    mode: str, input_scale: float, weights: list[float], output: float
) -> None:
    wanted = derived(mode, input_scale, weights, output)
    found = weight_scales(wanted, len(weights), input_scale, output)
    assert found is not None
    assert found.dtype == np.float32
    again = rescaling(mode, input_scale, found, output)
    assert (again.multiplier == wanted.multiplier).all()
    assert (again.shift == wanted.shift).all()


def test_tflite_multipliers_have_one_scale_each() -> None:
    """31 bits tell every float32 apart."""
    weights = np.random.default_rng(0).uniform(1e-4, 1e-2, 1000).astype(np.float32)
    wanted = derived("tflite_double", 0.02, weights.tolist(), 0.05)
    found = weight_scales(wanted, 1000, 0.02, 0.05)
    assert found is not None
    assert (found == weights).all()


@pytest.mark.parametrize("mode", ["tflite_double", "onednn"])
def test_integers_of_no_scales_are_refused(mode: str) -> None:
    wanted = derived(mode, 0.02, [0.01], 0.05)
    assert weight_scales(wanted, 1, 0.02, 0.05) is not None
    if mode == "onednn":  # whose second factor is the output's alone
        assert weight_scales(wanted, 1, 0.02, 0.051) is None
        return
    beside = Requantization(wanted.multiplier + 1, wanted.shift, 0, -128, 127, mode)
    assert weight_scales(beside, 1, 0.02, 0.05) is None


def test_a_channel_of_multiplier_0_has_a_scale() -> None:
    wanted = derived("tflite_double", 1.0, [2.0**-60, 0.5], 1.0)
    assert wanted.multiplier.tolist() == [0, 2**30]
    found = weight_scales(wanted, 2, 1.0, 1.0)
    assert found is not None
    assert (found > 0).all()
