"""What searches are given: the request, the pictures, and graphs as a machine computes them."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accelerators import Accelerator
from hwsim.cli.picture_input import sample_input_size
from hwsim.cli.quantities import Latency
from hwsim.cli.search_options import AREA
from hwsim.cli.subject import FloatSubject, read_pictures
from hwsim.schedule.accumulators import all_as_computed
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
from quant.imaging import photograph_parts
from quant.methods import Encoder
from quant.policy import BitPolicy

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
    images = photograph_parts() if folder is None else read_pictures(folder, "--pictures")
    return Pictures(
        [image.astype(np.int32) for image in images],
        [subject.enlarge(image) for image in images],
    )
