"""Float networks by name or from a file, before anything slow is done with them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.interruption import uninterrupted
from quant.common.errors import UserError
from quant.lowering import FloatNetwork
from quant.networks import load_network, network_config
from quant.networks.registry import shipped_weights

if TYPE_CHECKING:
    from torch import nn

Pixels = NDArray[np.uint8]
Enlarge = Callable[[Pixels], NDArray[np.float32]]
"""What a float network makes of a picture, as pixels that are not rounded."""

SEED_WHEN_NONE_SHIPPED = 0
"""Of the weights of a network that comes without any: they cost what others cost."""

_LARGEST_SCALE = 16


@dataclass(frozen=True, slots=True, eq=False)
class FloatSource:
    """A float network that can be loaded.

    Attributes:
        name: what results call it.
        scale: what it enlarges by.
        load: gives the network, to be quantized, and what it makes of pictures.
    """

    name: str
    scale: int
    load: Callable[[], tuple["nn.Module | FloatNetwork", Enlarge]]


def named_source(name: str, weights: Path | None, random_seed: int | None) -> FloatSource:
    """A network of the registry.

    Args:
        name: of the network.
        weights: of ``--weights``; None takes those that come along.
        random_seed: of ``--random-weights``.

    Raises:
        UserError: no network has this name.
    """

    def load() -> tuple["nn.Module", Enlarge]:
        import_torch()
        from quant.networks.inference import enlarge

        network = load_network(name, weights, random_seed)
        return network, partial(enlarge, network)

    return FloatSource(name, network_config(name).scale, load)


def file_source(path: Path, network: FloatNetwork) -> FloatSource:
    """A float network that was read from a file.

    Raises:
        UserError: it enlarges by no whole number, or by too much.
    """

    def load() -> tuple[FloatNetwork, Enlarge]:
        import_torch()
        from quant.lowering.execution import Execution

        return network, Execution(network).enlarge

    scale = network.scale()
    if scale.denominator != 1 or scale > _LARGEST_SCALE:
        raise UserError(
            f"{path}: expected a network that enlarges by a whole number up to {_LARGEST_SCALE}, "
            f"found {scale}; give a super-resolution network"
        )
    return FloatSource(path.stem, int(scale), load)


def import_torch() -> None:
    """Import torch, which takes a while and aborts where Ctrl-C reaches it half way."""
    with uninterrupted():
        import_module("torch")


def refuse_weights(name: str, weights: Path | None, random_seed: int | None) -> None:
    """Raises: UserError: weights are given for a file that has its own."""
    for option, value in (("weights", weights), ("random-weights", random_seed)):
        if value is not None:
            raise UserError(f"{name} has weights of its own; leave out --{option}")


def refuse_pixel_range(name: str, pixel_range: float | None) -> None:
    """Raises: UserError: the option is given for a network that knows its range."""
    if pixel_range is not None:
        raise UserError(
            f"network '{name}' knows what a white pixel is; leave out --pixel-range, which is for "
            "float networks in files"
        )


def has_weights(name: str, weights: Path | None) -> bool:
    """Whether there are trained weights for a network of the registry."""
    return weights is not None or shipped_weights(name) is not None
