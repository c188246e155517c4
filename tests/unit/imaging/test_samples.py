import subprocess
import sys

import pytest

from quant.common.errors import UserError
from quant.imaging.samples import (
    CALIBRATION_NAMES,
    DEFAULT_SAMPLE,
    SAMPLE_NAMES,
    calibration_photographs,
    sample_photograph,
)


def test_every_sample_is_a_photograph() -> None:
    shapes = {name: sample_photograph(name).shape for name in SAMPLE_NAMES}
    assert shapes == {
        "astronaut": (512, 512, 3),
        "chelsea": (300, 451, 3),
        "coffee": (400, 600, 3),
        "motorcycle_left": (500, 741, 3),
        "rocket": (427, 640, 3),
    }


def test_the_default_sample_is_never_calibrated_on() -> None:
    assert DEFAULT_SAMPLE == "astronaut"
    assert set(CALIBRATION_NAMES) == set(SAMPLE_NAMES) - {DEFAULT_SAMPLE}


def test_calibration_photographs_are_reduced_by_the_scale() -> None:
    shapes = [image.shape for image in calibration_photographs(4)]
    assert shapes == [(75, 112, 3), (100, 150, 3), (125, 185, 3), (106, 160, 3)]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError) as caught:
        sample_photograph("astronut")
    assert str(caught.value) == "sample photograph 'astronut': did you mean 'astronaut'?"


def test_neither_torch_nor_scikit_image_is_imported() -> None:
    program = (
        "import sys; from quant.imaging import sample_photograph; sample_photograph('coffee'); "
        "print(sorted({'torch', 'skimage', 'scipy', 'pooch'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "[]\n"
