"""Which pictures the arguments mean, and which graphs take pictures."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hwsim.cli.picture_graph import require_picture_graph
from hwsim.cli.picture_input import read_picture_input, sample_input_size
from quant.common.errors import UserError
from quant.graph import (
    CodeKind,
    Graph,
    Input,
    IntegerType,
    Node,
    Requantization,
    Requantize,
    TensorType,
)
from quant.imaging import bicubic_downscale, write_png


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def arguments(image: str | None = None, hr: Path | None = None) -> Namespace:
    return Namespace(image=image, hr=hr)


@pytest.mark.parametrize("image", [None, "sample"])
def test_without_a_file_the_sample_is_reduced_and_judged_by_itself(image: str | None) -> None:
    low, high = read_picture_input(arguments(image)).for_scale(2)

    assert low.shape[:2] == sample_input_size(2) == (256, 256)
    assert high is not None
    np.testing.assert_array_equal(low, bicubic_downscale(high, 2))


def test_an_image_alone_has_nothing_to_be_judged_by(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", noise(5, 7))

    low, high = read_picture_input(arguments(str(tmp_path / "a.png"))).for_scale(3)

    np.testing.assert_array_equal(low, noise(5, 7))
    assert high is None


def test_an_original_alone_is_reduced(tmp_path: Path) -> None:
    write_png(tmp_path / "hr.png", noise(20, 31))

    low, high = read_picture_input(arguments(hr=tmp_path / "hr.png")).for_scale(3)

    assert high is not None
    assert (low.shape, high.shape) == ((6, 10, 3), (18, 30, 3))


def test_image_and_original_go_together_with_odd_rows_cut_off(tmp_path: Path) -> None:
    write_png(tmp_path / "lr.png", noise(6, 10))
    write_png(tmp_path / "hr.png", noise(20, 31))

    given_pictures = read_picture_input(arguments(str(tmp_path / "lr.png"), tmp_path / "hr.png"))

    high = given_pictures.for_scale(3)[1]
    assert high is not None
    assert high.shape == (18, 30, 3)
    with pytest.raises(UserError, match=r"hr\.png: expected 12×20 pixels, 2 times the image, fou"):
        given_pictures.for_scale(2)


def test_an_original_smaller_than_the_scale_is_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "hr.png", noise(1, 9))

    with pytest.raises(UserError, match="expected at least 2×2 pixels to reduce by 2, found 1×9"):
        read_picture_input(arguments(hr=tmp_path / "hr.png")).for_scale(2)


def test_the_sample_takes_no_other_original(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--image sample has its own original; leave out --hr or"):
        read_picture_input(arguments("sample", tmp_path / "hr.png"))


PICTURE = TensorType(3, IntegerType(8))
ONE = np.ones(1, np.int64)
NO_CHANGE = Requantization(ONE, ONE * 0, 0, 0, 255)


def graph_between(first: TensorType, last: TensorType) -> Graph:
    image = Node("image", Input(), (), first)
    tail = Node("tail", Requantize(np.zeros(1, np.int64), NO_CHANGE), ("image",), last)
    return Graph("graph", (image, tail), "tail")


def test_a_graph_that_takes_and_gives_pictures_is_fine() -> None:
    require_picture_graph(graph_between(PICTURE, PICTURE))


@pytest.mark.parametrize(
    "other",
    [
        TensorType(4, IntegerType(8)),
        TensorType(3, IntegerType(9)),
        TensorType(3, IntegerType(8, CodeKind.SIGNED)),
    ],
)
def test_a_graph_of_anything_else_is_refused(other: TensorType) -> None:
    with pytest.raises(UserError, match=f"graph 'graph' takes {other}, expected 3×u8, a picture"):
        require_picture_graph(graph_between(other, PICTURE))
    with pytest.raises(UserError, match=f"graph 'graph' gives {other}, expected 3×u8, a picture"):
        require_picture_graph(graph_between(PICTURE, other))
