"""The picture to enlarge and the original to judge by, as the arguments name them."""

from argparse import Namespace
from pathlib import Path

from hwsim.api.picture_input import PictureInput
from hwsim.cli.options import SAMPLE
from quant.common.errors import UserError
from quant.imaging import DEFAULT_SAMPLE, read_image, sample_photograph


def read_picture_input(arguments: Namespace) -> PictureInput:
    """Read the pictures that ``--image`` and ``--hr`` name.

    Args:
        arguments: with ``image`` (a path, the word for the sample, or None) and ``hr``.

    Raises:
        UserError: a file is no picture, or the sample is given another original.
    """
    if arguments.hr is None and arguments.image in (None, SAMPLE):
        return PictureInput(None, sample_photograph(DEFAULT_SAMPLE), f"--image {SAMPLE}")
    if arguments.image == SAMPLE:
        raise UserError(f"--image {SAMPLE} has its own original; leave out --hr or --image")
    image = None if arguments.image is None else read_image(Path(arguments.image))
    original = None if arguments.hr is None else read_image(arguments.hr)
    return PictureInput(image, original, f"--hr {arguments.hr}", "--hr")


def sample_input_size(scale: int) -> tuple[int, int]:
    """Height and width of the sample's reduction."""
    height, width = sample_photograph(DEFAULT_SAMPLE).shape[:2]
    return height // scale, width // scale
