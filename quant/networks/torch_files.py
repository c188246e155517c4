"""What ``torch.save`` wrote, read without running code of the file."""

import io
import pickle
import struct
import warnings

import torch

_DAMAGE = (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError,
           AttributeError, IndexError, AssertionError, OverflowError, OSError, struct.error,
           MemoryError)  # fmt: skip
"""What ``torch.load`` raises, by version and kind of damage, for a file it cannot read."""


class UnreadableError(Exception):
    """The content is damaged, of another kind, or needs code of its own."""


def load_plain(content: bytes) -> object:
    """Tensors, numbers, texts, and lists and dictionaries of them, on the CPU.

    Raises:
        UnreadableError: the content holds anything else, or is damaged.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of old or odd files
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise UnreadableError(str(error)) from error
