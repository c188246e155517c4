"""Which pictures the arguments mean, and pixels to codes and back."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.cli.picture_codes import decode_picture, encode_picture
from hwsim.cli.picture_input import read_picture_input, sample_input_size
from quant.common.errors import UserError
from quant.graph import CodeKind, Encoding, Graph, Input, IntegerType, Node, TensorType
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


def identity(tensor: TensorType) -> Graph:
    return Graph("identity", (Node("image", Input(), (), tensor),), "image")


@given(
    st.sampled_from(
        [
            TensorType(3, IntegerType(8), Encoding(1.0)),
            TensorType(3, IntegerType(8, CodeKind.SIGNED), Encoding(1.0, (-128,))),
            TensorType(3, IntegerType(16), Encoding(255 / 65535)),
            TensorType(3, IntegerType(10), Encoding(0.25, (3, 0, 1))),
        ]
    )
)
def test_a_code_grid_that_holds_every_pixel_value_gives_the_picture_back(
    tensor: TensorType,
) -> None:
    if tensor.encoding.scale == 0.25:
        tensor = replace(tensor, integer=IntegerType(11))
    image = noise(9, 5)

    codes = encode_picture(identity(tensor), image)

    assert codes.dtype == np.int32
    np.testing.assert_array_equal(decode_picture(identity(tensor), codes), image)


def test_a_coarser_grid_takes_the_nearest_code_and_stays_in_range() -> None:
    tensor = TensorType(3, IntegerType(2), Encoding(64.0))
    image = np.array([[[0, 31, 32], [95, 96, 255]]], np.uint8)

    codes = encode_picture(identity(tensor), image)

    assert codes.tolist() == [[[0, 0, 1], [1, 2, 3]]]
    assert decode_picture(identity(tensor), codes).tolist() == [[[0, 0, 64], [64, 128, 192]]]


def test_codes_beyond_white_and_black_are_cut_off() -> None:
    tensor = TensorType(3, IntegerType(12, CodeKind.SIGNED), Encoding(1.0))
    codes = np.array([[[-7, 300, 12]]], np.int32)

    assert decode_picture(identity(tensor), codes).tolist() == [[[0, 255, 12]]]


def test_graphs_of_other_than_three_channels_are_refused() -> None:
    graph = identity(TensorType(4, IntegerType(8)))

    with pytest.raises(UserError, match="graph 'identity' takes 4 channels, expected 3"):
        encode_picture(graph, noise(2, 2))
