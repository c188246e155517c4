"""The complexity of an image: the formula, the integers' sum, and the decision between them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.machine import KERNELS, REFERENCE, run_layerwise
from hwsim.simulation import estimate, simulate
from quant.graph import IntegerType, Size, TensorType
from quant.imaging import sample_photograph
from quant.imaging.samples import calibration_photographs
from quant.methods.adabm.complexity import LARGEST_ERROR, UNIT, complexity, complexity_graph
from tests.machines import machine, prices

GRAPH = complexity_graph(TensorType(3, IntegerType(8)))


def ramp(height: int, width: int, step: int) -> NDArray[np.uint8]:
    """Grey that grows by ``step`` from column to column."""
    row = (np.arange(width) * step).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def integer_complexity(image: NDArray[np.uint8]) -> float:
    sums = run_layerwise(GRAPH, image.astype(np.int32), REFERENCE)
    return int(sums.sum()) / (UNIT * image.shape[0] * image.shape[1])


@pytest.mark.parametrize(("step", "width"), [(1, 5), (3, 17), (10, 25)])
def test_a_ramp_has_the_complexity_that_arithmetic_gives_it(step: int, width: int) -> None:
    # Inside, |S_x| = 8 · step and S_y = 0; at both ends the replicated border halves it.
    total = 8 * step * (width - 2) + 2 * 4 * step
    expected = 1000 * total / width / (2 * 8 * 255)
    assert complexity(ramp(7, width, step)) == pytest.approx(expected, rel=1e-12)


def test_a_ramp_of_grey_levels_is_exact_in_integers_where_steps_divide() -> None:
    # 8 · 2 grey levels are 16000 thousandths, 1000 units of 16; 8000 are 500.
    image = ramp(6, 9, 2)
    assert integer_complexity(image) == pytest.approx(complexity(image), rel=1e-12)


def test_a_flat_image_has_none() -> None:
    assert complexity(np.full((4, 5, 3), 77)) == pytest.approx(0, abs=1e-12)
    assert integer_complexity(np.full((4, 5, 3), 77, np.uint8)) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 8), (2, 2), (33, 20)])
def test_integers_are_as_near_as_stated_for_noise(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert abs(integer_complexity(image) - complexity(image)) <= LARGEST_ERROR


def test_integers_are_as_near_as_stated_for_photographs() -> None:
    for image in (sample_photograph("astronaut"), *calibration_photographs(4)):
        part = image[:96, :120]
        assert abs(integer_complexity(part) - complexity(part)) <= LARGEST_ERROR


def test_the_machine_computes_the_sums_of_the_reference_in_any_tiling() -> None:
    image = np.random.default_rng(1).integers(0, 256, (41, 150, 3)).astype(np.int32)
    expected = run_layerwise(GRAPH, image, REFERENCE)
    assert (run_layerwise(GRAPH, image, KERNELS) == expected).all()
    tilings = set()
    for accelerator in (machine(), machine(sram_kib=4, array=8), machine(sram_kib=2, array=8)):
        simulated = simulate(GRAPH, accelerator, prices(accelerator), image)
        assert (simulated.output == expected).all()
        tilings.add(simulated.program.groups[0].tiling)
        assert (
            estimate(GRAPH, accelerator, prices(accelerator), Size(41, 150)).cost.cycles
            == simulated.cost.cycles
        )
    assert len(tilings) == 3
