"""Where the figures of a run or an estimate come from, in the words of its page."""

import platform
from argparse import Namespace
from collections.abc import Mapping
from importlib.metadata import version

from accelerators import EnergyModel
from hwsim.api.model_files import DEFAULT_PIXEL_RANGE
from hwsim.cli.options import DEFAULT_BITS, DEFAULT_METHOD, SAMPLE
from hwsim.cli.sources import (
    folder_words,
    is_file,
    machine_facts,
    network_hashes,
    program_words,
    random_seed,
    weights_words,
)
from hwsim.identity import graph_identity, machine_identity
from hwsim.report.provenance import Provenance
from quant.graph.adaptive_file import AnyGraph

_LIBRARIES = ("numpy", "numba", "torch")
"""Whose versions may matter: what integers, kernels and calibration are computed with."""

_NOTHING_DRAWN = "none are drawn"


def run_provenance(
    arguments: Namespace,
    graph: AnyGraph,
    energy: EnergyModel,
    pictures: Mapping[str, str],
    picture_hashes: Mapping[str, str],
    *,
    quantized_here: bool,
) -> Provenance:
    """What a run or an estimate rests on.

    Args:
        arguments: of the command, with the ``command_line`` they were parsed from.
        graph: what ran.
        energy: the machine and its prices.
        pictures: names and values of what is told of the image.
        picture_hashes: SHA-256 of images by what they are.
        quantized_here: whether the command quantized it, of float weights.

    Raises:
        UserError: the file of the network or of its weights cannot be read any more.
    """
    machine = energy.accelerator
    schedule = machine.scheduling
    facts = {
        "command": arguments.command_line,
        "program": program_words(),
        "libraries": ", ".join(
            (f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in _LIBRARIES))
        ),
        **(_quantization(arguments) if quantized_here else {"graph file": arguments.network}),
        **_pixel_range(arguments, quantized_here=quantized_here),
        **pictures,
        **machine_facts(energy),
        "schedule": f"for {schedule.objective}, "
        + ("layers run together" if schedule.fusion else "one layer after the other"),
        "random numbers": _random_numbers(arguments) if quantized_here else _NOTHING_DRAWN,
    }
    hashes = {
        **(network_hashes(arguments) if quantized_here else {}),
        "graph": graph_identity(graph),
        **picture_hashes,
        "machine and prices": machine_identity(machine, energy),
    }
    name = graph.metadata.get("network", graph.name)
    return Provenance(name, facts, hashes, tuple(energy.not_modelled))


def image_words(arguments: Namespace) -> dict[str, str]:
    """The image of ``--image`` and ``--hr``, and how it ran."""
    sample = "the photograph that comes with the program, reduced"
    if arguments.image in (None, SAMPLE):
        image = sample if arguments.hr is None else f"{arguments.hr}, reduced"
    else:
        image = str(arguments.image)
    words = {"image": image}
    if arguments.hr is not None:
        words["original"] = str(arguments.hr)
    if arguments.patch is not None:
        words["patches"] = f"of {arguments.patch} pixels, one after the other"
    return words


def _quantization(arguments: Namespace) -> dict[str, str]:
    return {
        "network": f"{arguments.network}, {weights_words(arguments)}",
        "method": arguments.method or DEFAULT_METHOD,
        "policy": arguments.bits or DEFAULT_BITS,
        "calibrated on": folder_words(arguments.calibration, "reduced photographs"),
    }


def _pixel_range(arguments: Namespace, *, quantized_here: bool) -> dict[str, str]:
    """What a white pixel is, where a file does not say it."""
    given = arguments.pixel_range
    if not is_file(arguments) or (given is None and not quantized_here):
        return {}
    return {"white pixel": f"{DEFAULT_PIXEL_RANGE if given is None else given:g}"}


def _random_numbers(arguments: Namespace) -> str:
    seed = random_seed(arguments)
    return _NOTHING_DRAWN if seed is None else f"weights, of seed {seed}"
