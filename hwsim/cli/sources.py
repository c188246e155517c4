"""Where inputs come from, in the words of reports."""

import hashlib
from argparse import Namespace
from pathlib import Path

from accelerators import EnergyModel
from hwsim import __version__
from hwsim.cli.subject import SEED_WHEN_NONE_SHIPPED
from quant.common.files import read_bytes
from quant.networks.registry import shipped_weights

SHIPPED = "that come with the program"


def program_words() -> str:
    """The program and its version."""
    return f"hwsim {__version__}"


def random_seed(arguments: Namespace) -> int | None:
    """The seed of the weights of a network, if those are drawn at random."""
    if arguments.random_weights is not None:
        seed: int = arguments.random_weights
        return seed
    trained = arguments.weights is not None or shipped_weights(arguments.network) is not None
    return None if trained else SEED_WHEN_NONE_SHIPPED


def weights_words(arguments: Namespace) -> str:
    """The float weights of ``--weights``, ``--random-weights``, or neither."""
    seed = random_seed(arguments)
    if seed is not None:
        return f"random weights of seed {seed}"
    return f"weights {SHIPPED}" if arguments.weights is None else f"weights {arguments.weights}"


def weights_hashes(arguments: Namespace) -> dict[str, str]:
    """SHA-256 of the file that holds them, where there is one.

    Raises:
        UserError: it cannot be read any more.
    """
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
