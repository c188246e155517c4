"""Super-resolution networks by name; importing this package does not import torch."""

from quant.networks.config import EDSRConfig, NetworkConfig
from quant.networks.registry import load_network, network_config, network_names

__all__ = ["EDSRConfig", "NetworkConfig", "load_network", "network_config", "network_names"]
