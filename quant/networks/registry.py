"""The table of networks that can be asked for by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from quant.common.errors import UserError, suggestion
from quant.networks.config import (
    DirectEDSRConfig,
    EDSRConfig,
    MobileSRConfig,
    MSRResNetConfig,
    NetworkConfig,
    RDNConfig,
    SRGANConfig,
    SRResNetConfig,
)

if TYPE_CHECKING:
    from torch import nn

_SCALES = (2, 3, 4)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of the normalization of torchvision's models

_CONFIGS: dict[str, NetworkConfig] = {
    "edsr_tiny_x2": EDSRConfig(blocks=6, channels=32, scale=2),
    **{f"mobile_sr_x{s}": MobileSRConfig(layers=4, channels=32, scale=s) for s in _SCALES},
    **{f"edsr_baseline_x{s}": EDSRConfig(blocks=16, channels=64, scale=s) for s in _SCALES},
    **{
        f"edsr_x{s}": EDSRConfig(blocks=32, channels=256, scale=s, residual_scale=0.1)
        for s in _SCALES
    },
    **{
        f"edsr_prelu_x{s}": EDSRConfig(blocks=16, channels=64, scale=s, prelu=True) for s in _SCALES
    },
    **{f"srresnet_x{s}": SRResNetConfig(blocks=16, channels=64, scale=s) for s in _SCALES},
    **{f"msrresnet_x{s}": MSRResNetConfig(blocks=16, channels=64, scale=s) for s in _SCALES},
    **{f"srgan_x{s}": SRGANConfig(scale=s) for s in _SCALES},
    **{
        f"rdn_x{s}": RDNConfig(blocks=16, layers=8, growth=64, channels=64, scale=s)
        for s in _SCALES
    },
    **{
        f"rdn_compact_x{s}": RDNConfig(blocks=6, layers=4, growth=32, channels=64, scale=s)
        for s in _SCALES
    },
    # Shapes of checkpoints others have published.
    "edsr_r8f64_x2": EDSRConfig(blocks=8, channels=64, scale=2),
    "edsr_mlperf_x2": DirectEDSRConfig(blocks=5, channels=32, scale=2),
    "srresnet_r8f64_x4": SRResNetConfig(blocks=8, channels=64, scale=4),
    "srresnet_imagenet_x4": SRResNetConfig(
        blocks=16, channels=64, scale=4, input_mean=_IMAGENET_MEAN, tanh=True
    ),
}

_SHIPPED_WEIGHTS = Path(__file__).parent / "weights"


def network_names() -> tuple[str, ...]:
    """The names ``network_config`` and ``load_network`` know."""
    return tuple(_CONFIGS)


def network_config(name: str) -> NetworkConfig:
    """The shape of a network.

    Raises:
        UserError: no network has this name.
    """
    if name not in _CONFIGS:
        raise UserError(f"network '{name}' is not known; {suggestion(name, _CONFIGS)}")
    return _CONFIGS[name]


def shipped_weights(name: str) -> Path | None:
    """The weights file that comes with the package for a network, or None.

    Raises:
        UserError: no network has this name.
    """
    network_config(name)
    path = _SHIPPED_WEIGHTS / f"{name}.safetensors"
    return path if path.is_file() else None


def load_network(
    name: str, weights: Path | None = None, random_seed: int | None = None
) -> nn.Module:
    """Build a network and fill in its weights.

    Args:
        name: one of ``network_names()``.
        weights: a weights file; None takes the shipped one.
        random_seed: draw the weights from this seed instead of reading any; the global random
            state of torch is left as it was.

    Returns:
        The network in evaluation mode, float32, on the CPU.

    Raises:
        UserError: the name is not known, no weights are shipped and none given, both ``weights``
            and ``random_seed`` are given, or the weights file does not fit.
    """
    config = network_config(name)
    if weights is not None and random_seed is not None:
        raise UserError(
            f"network '{name}': expected a weights file or a random seed, got both; give one"
        )
    from quant.networks.build import build_network
    from quant.networks.weights import load_weights

    network = build_network(config, seed=random_seed)
    if random_seed is None:
        path = weights if weights is not None else shipped_weights(name)
        if path is None:
            raise UserError(
                f"network '{name}': weights are not shipped with this program; "
                "give a file with --weights FILE (`hwsim train` makes one)"
            )
        load_weights(network, path)
    return network.eval()
