"""Where inputs come from, in the words of reports."""

import hashlib
from argparse import Namespace
from pathlib import Path

from accelerators import EnergyModel
from hwsim import __version__
from hwsim.cli.float_source import SEED_WHEN_NONE_SHIPPED, has_weights
from quant.common.files import read_bytes
from quant.networks import network_names
from quant.networks.registry import shipped_weights

SHIPPED = "that come with the program"


def program_words() -> str:
    """The program and its version."""
    return f"hwsim {__version__}"


def is_file(arguments: Namespace) -> bool:
    """Whether the network of the arguments is in a file."""
    return arguments.network not in network_names()


def random_seed(arguments: Namespace) -> int | None:
    """The seed of the weights of a network, if those are drawn at random."""
    seed: int | None = arguments.random_weights
    if seed is not None or is_file(arguments) or has_weights(arguments.network, arguments.weights):
        return seed
    return SEED_WHEN_NONE_SHIPPED


def weights_words(arguments: Namespace) -> str:
    """The float weights of ``--weights``, ``--random-weights``, a file, or none of them."""
    seed = random_seed(arguments)
    if seed is not None:
        return f"random weights of seed {seed}"
    if is_file(arguments):
        return "with its own weights"
    return f"weights {SHIPPED}" if arguments.weights is None else f"weights {arguments.weights}"


def network_hashes(arguments: Namespace) -> dict[str, str]:
    """SHA-256 of the file that holds the network, or its float weights, where there is one.

    Raises:
        UserError: it cannot be read any more.
    """
    if is_file(arguments):
        content = read_bytes(Path(arguments.network), "network")
        return {"network file": hashlib.sha256(content).hexdigest()}
    path = arguments.weights or shipped_weights(arguments.network)
    if random_seed(arguments) is not None or path is None:
        return {}
    return {"weights file": hashlib.sha256(read_bytes(path, "weights")).hexdigest()}


def folder_words(folder: Path | None, shipped: str) -> str:
    """A folder of pictures, or those that come with the program."""
    return f"{shipped} {SHIPPED}" if folder is None else str(folder)


def machine_facts(energy: EnergyModel) -> dict[str, str]:
    """A machine and its prices."""
    machine, table = energy.accelerator, energy.table
    return {
        "accelerator": f"{machine.name}, {machine.clock_mhz:g} MHz: {machine.description}",
        "energy table": f"{table.name}, version {table.version}: {table.description}",
        **({"prices": "; ".join(energy.notes)} if energy.notes else {}),
    }
