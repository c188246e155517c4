"""What searches are given: the request, the pictures, and graphs as a machine computes them."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.cli.machine import all_as_computed
from hwsim.cli.picture_input import sample_input_size
from hwsim.cli.quantities import Latency
from hwsim.cli.search_options import AREA
from hwsim.cli.subject import FloatSubject, read_pictures
from hwsim.search import (
    Allowed,
    LayerRules,
    Limits,
    Pictures,
    Resource,
    SearchRequest,
    cycles_within,
)
from quant.common.errors import UserError
from quant.graph import Size
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import calibration_photographs
from quant.methods import Encoder
from quant.policy import BitPolicy

Pixels = NDArray[np.uint8]

PICTURE_SIDE = 48
"""Side of the parts of photographs that fidelity is judged on when no pictures are given."""

_OPTIONS = ("widths", "front_points", "local_search_evaluations")


@dataclass(frozen=True, slots=True, eq=False)
class MachineGraphs:
    """Graphs as the machine computes them, of any policy; can be sent to other processes.

    Attributes:
        encode: quantizes the network.
        accelerator: the machine.
        overflow: of ``--overflow``; None where it was not given.
    """

    encode: Encoder
    accelerator: Accelerator
    overflow: str | None

    def __call__(self, policy: BitPolicy) -> AnyGraph:
        """The graph of a policy, or those that an image chooses among.

        Raises:
            UserError: it cannot be quantized so.
        """
        return all_as_computed(self.encode(policy).graph(), self.accelerator, self.overflow)


@contextmanager
def one_thread_of_torch() -> Iterator[None]:
    """Torch computes on one thread within the block, as it does in workers.

    How its sums are rounded depends on the number, and what some methods quantize to on that.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def search_request(arguments: Namespace, scale: int, max_cycles: int | None) -> SearchRequest:
    """What the arguments ask for.

    Args:
        arguments: of a search.
        scale: what the network enlarges by.
        max_cycles: the limit on time, of `most_cycles`.

    Raises:
        UserError: it makes no sense.
    """
    given = {name: getattr(arguments, name) for name in _OPTIONS}
    minimize = arguments.minimize or ("error" if arguments.min_psnr is None else "energy")
    if minimize == AREA:
        minimize = "energy"
        if arguments.min_psnr is None:
            raise UserError(
                "minimize area: expected a least fidelity too, given none, and the narrowest "
                "widths are done on the smallest machine; give --min-psnr"
            )
    return SearchRequest(
        Size(*(arguments.input_size or sample_input_size(scale))),
        minimize=None if minimize == "error" else Resource(minimize),
        against=Resource(arguments.against) if arguments.against else None,
        limits=Limits(
            arguments.max_energy,
            max_cycles,
            arguments.min_psnr,
            arguments.max_dram,
            arguments.max_sram,
        ),
        rules=LayerRules(
            tuple(Allowed(pattern, bits) for pattern, bits in arguments.allow),
            arguments.first_and_last,
            tuple(arguments.tie),
        ),
        **{name: value for name, value in given.items() if value is not None},
    )


def most_cycles(arguments: Namespace, accelerator: Accelerator) -> int | None:
    """The stricter of both limits on time, in cycles of the machine; None without any.

    Raises:
        UserError: the machine's launch overhead alone takes longer.
    """
    times: list[Latency | None] = [arguments.max_latency, arguments.min_fps]
    cycles = [
        time.cycles if time.seconds is None else cycles_within(accelerator, time.seconds)
        for time in times
        if time is not None
    ]
    return min((most for most in cycles if most is not None), default=None)


def search_pictures(subject: FloatSubject, folder: Path | None) -> Pictures:
    """What fidelity is judged on.

    Args:
        subject: the float network.
        folder: of ``--pictures``; None takes parts of the photographs that come along.

    Raises:
        UserError: the folder cannot be read.
    """
    from quant.networks.inference import enlarge

    if folder is None:
        # Not what was calibrated on: those are the same photographs reduced.
        images = [_centre(image) for image in calibration_photographs(scale=1)]
    else:
        images = read_pictures(folder, "--pictures")
    return Pictures(
        [image.astype(np.int32) for image in images],
        [enlarge(subject.network, image) for image in images],
    )


def _centre(image: Pixels) -> Pixels:
    top, left = ((side - PICTURE_SIDE) // 2 for side in image.shape[:2])
    return image[top : top + PICTURE_SIDE, left : left + PICTURE_SIDE]
