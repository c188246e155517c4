"""``hwsim search``: the bits of each layer that give the best quality for their cost."""

import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.cli.machine import all_as_computed, load_energy_model
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import OutputFolder, output_folder
from hwsim.cli.picture_input import sample_input_size
from hwsim.cli.quantities import Latency
from hwsim.cli.search_provenance import search_provenance
from hwsim.cli.subject import FloatSubject, load_float_subject, read_pictures
from hwsim.cli.workers import search_executor
from hwsim.report.page.page import write_page
from hwsim.report.search import print_search
from hwsim.report.search_page import search_page
from hwsim.search import (
    Allowed,
    LayerRules,
    Limits,
    Pictures,
    Point,
    Resource,
    SearchRequest,
    SearchResult,
    Target,
    cycles_within,
    front_chart,
    policy_tables,
    search,
    tables_json,
    write_cost_table,
)
from quant.graph import Size
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import calibration_photographs
from quant.methods import Encoder
from quant.policy import BitPolicy

Pixels = NDArray[np.uint8]

PICTURE_SIDE = 48
"""Side of the parts of photographs that fidelity is judged on when no pictures are given."""

_OPTIONS = ("widths", "front_points", "local_search_evaluations")


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        energy = load_energy_model(arguments)
        executor = stack.enter_context(search_executor(arguments, messages))
        subject = load_float_subject(arguments, messages, accelerator=energy.accelerator)
        request = _request(arguments, subject.scale, energy.accelerator)
        pictures = _pictures(subject, arguments.pictures)
        target = Target(energy.accelerator, energy, request.image_size)
        build = _Graphs(subject.encode, energy.accelerator, arguments.overflow)
        with messages.stage("searching") as progress, _one_thread_of_torch():
            found = search(request, build, pictures, target, arguments.out, progress, executor)
        recommended = found.recommended()
        text = json.dumps(found.to_json(), indent=2, allow_nan=False)
        files = []
        if folder:
            _write(folder, found, recommended)
            base = build(request.base_policy)
            provenance = search_provenance(arguments, request, energy, pictures, base)
            page = search_page(found, recommended, provenance)
            folder.write("search.html", lambda path: write_page(page, path))
            folder.write("search.json", lambda path: path.write_text(text + "\n"))
            files = folder.publish()
    if arguments.json:
        print(text)
    else:
        print_search(found, recommended, files)
    if found.mismatches:
        messages.say("not bit-exact: see the points' 'on_machine'")
        return 1
    return 0


def _write(folder: OutputFolder, found: SearchResult, recommended: Point) -> None:
    """The policies and tables of a search."""
    policies = {"recommended.yaml": recommended.policy}
    if found.optimum is not None:
        policies["optimum.yaml"] = found.request.policy(found.optimum.bits)
    for name, policy in policies.items():
        folder.write(name, partial(_write_text, policy.to_yaml()))
    chosen = (recommended, *(point for point in found.best() if point is not recommended))
    folder.write("policies.json", partial(_write_text, policy_tables(chosen)))
    folder.write("cost_table.json", partial(_write_text, tables_json(found)))
    folder.write(
        "cost_table.npy", lambda path: write_cost_table(found, found.request.resource, path)
    )
    folder.write("front.png", lambda path: front_chart(found, path))


def _write_text(text: str, path: Path) -> None:
    path.write_text(text)


@dataclass(frozen=True, slots=True, eq=False)
class _Graphs:
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
def _one_thread_of_torch() -> Iterator[None]:
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


def _request(arguments: Namespace, scale: int, accelerator: Accelerator) -> SearchRequest:
    given = {name: getattr(arguments, name) for name in _OPTIONS}
    minimize = arguments.minimize or ("error" if arguments.min_psnr is None else "energy")
    return SearchRequest(
        Size(*(arguments.input_size or sample_input_size(scale))),
        minimize=None if minimize == "error" else Resource(minimize),
        against=Resource(arguments.against) if arguments.against else None,
        limits=Limits(
            arguments.max_energy,
            _most_cycles(arguments, accelerator),
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


def _most_cycles(arguments: Namespace, accelerator: Accelerator) -> int | None:
    """The stricter of both limits on time."""
    times: list[Latency | None] = [arguments.max_latency, arguments.min_fps]
    cycles = [
        time.cycles if time.seconds is None else cycles_within(accelerator, time.seconds)
        for time in times
        if time is not None
    ]
    return min((most for most in cycles if most is not None), default=None)


def _pictures(subject: FloatSubject, folder: Path | None) -> Pictures:
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
