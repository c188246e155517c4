"""Operators that only move codes, against the reference, torch, and each other."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic.geometry import Padding
from hwsim.arithmetic.rearrangement import (
    concatenate,
    constant_border,
    nearest_resize,
    pixel_shuffle,
    replicate_border,
)
from tests.unit.arithmetic.strategies import generators

MAP = np.arange(12, dtype=np.int32).reshape(2, 2, 3)

sizes = st.tuples(*[st.integers(1, 5)] * 3)
factors = st.integers(1, 4)
orders = st.sampled_from(("dcr", "crd"))


def image(generator: np.random.Generator, *shape: int) -> NDArray[np.int32]:
    return generator.integers(-(2**15), 2**15, shape, np.int32)


def channels_first(codes: NDArray[np.int32]) -> torch.Tensor:
    """As torch has it, in float64, which holds every code."""
    return torch.from_numpy(codes.transpose(2, 0, 1)[None].astype(np.float64))


def channels_last(tensor: torch.Tensor) -> NDArray[np.int64]:
    return tensor[0].numpy().transpose(1, 2, 0).astype(np.int64)


@given(size=sizes, factor=factors, order=orders, generator=generators)
def test_pixel_shuffle_equals_reference(
    size: tuple[int, int, int], factor: int, order: str, generator: np.random.Generator
) -> None:
    height, width, channels = size
    ifm = image(generator, height, width, factor**2 * channels)
    result = pixel_shuffle(ifm, factor, order)
    assert result.dtype == np.int32
    assert (result == reference.pixel_shuffle(ifm, factor, order)).all()


@given(size=sizes, factor=factors, generator=generators)
def test_crd_is_the_order_of_torch(
    size: tuple[int, int, int], factor: int, generator: np.random.Generator
) -> None:
    height, width, channels = size
    ifm = image(generator, height, width, factor**2 * channels)
    expected = torch.nn.functional.pixel_shuffle(channels_first(ifm), factor)
    assert (reference.pixel_shuffle(ifm, factor, "crd") == channels_last(expected)).all()


@given(size=sizes, factor=factors, generator=generators)
def test_permuted_channels_turn_one_order_into_the_other(
    size: tuple[int, int, int], factor: int, generator: np.random.Generator
) -> None:
    height, width, channels = size
    ifm = image(generator, height, width, factor**2 * channels)
    order = np.arange(factor**2 * channels).reshape(channels, factor**2).T.reshape(-1)
    permuted = reference.pixel_shuffle(ifm[:, :, order], factor, "dcr")
    assert (permuted == reference.pixel_shuffle(ifm, factor, "crd")).all()


@given(size=sizes, factor=factors, generator=generators)
def test_nearest_resize_equals_reference_and_torch(
    size: tuple[int, int, int], factor: int, generator: np.random.Generator
) -> None:
    ifm = image(generator, *size)
    expected = reference.nearest_resize(ifm, factor)
    assert (nearest_resize(ifm, factor) == expected).all()
    by_torch = torch.nn.functional.interpolate(
        channels_first(ifm), scale_factor=factor, mode="nearest"
    )
    assert (channels_last(by_torch) == expected).all()


@given(size=sizes, depths=st.lists(st.integers(1, 5), min_size=1, max_size=4), generator=generators)
def test_concatenate_equals_reference(
    size: tuple[int, int, int], depths: list[int], generator: np.random.Generator
) -> None:
    maps = [image(generator, *size[:2], depth) for depth in depths]
    assert (concatenate(maps) == reference.concatenate(maps)).all()


def test_what_cannot_be_moved() -> None:
    for factor in (0, 2):
        with pytest.raises(ValueError, match=f"3 channels are no multiple of {factor}²"):
            pixel_shuffle(MAP, factor)
    with pytest.raises(ValueError, match="no order 'rcd'; choose one of dcr, crd"):
        pixel_shuffle(MAP, 1, "rcd")
    with pytest.raises(ValueError, match="factor 0 must be at least 1"):
        nearest_resize(MAP, 0)
    with pytest.raises(ValueError, match="expected one size"):
        concatenate([MAP, MAP[:1]])


@given(size=sizes, sides=st.tuples(*[st.integers(0, 3)] * 4), generator=generators)
def test_borders_equal_reference(
    size: tuple[int, int, int], sides: tuple[int, int, int, int], generator: np.random.Generator
) -> None:
    ifm, codes = image(generator, *size), image(generator, size[2])
    narrow = (ifm >> 8).astype(np.int8)
    padding = Padding(*sides)
    padded = constant_border(narrow, padding, codes)
    assert padded.dtype == np.int32
    assert (padded == reference.pad(narrow, sides, codes)).all()
    assert (constant_border(ifm, padding, codes[:1]) == reference.pad(ifm, sides, codes[:1])).all()
    assert (replicate_border(ifm, padding) == reference.replicate(ifm, sides)).all()
