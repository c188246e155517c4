"""``hwsim search``: the bits of each layer that give the best quality for their cost."""

import json
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.machine import as_computed, load_energy_model
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import output_folder
from hwsim.cli.picture_input import sample_input_size
from hwsim.cli.subject import FloatSubject, load_float_subject, read_pictures
from hwsim.report.search import print_search
from hwsim.search import Limits, Objective, Pictures, SearchRequest, Target, front_chart, search
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import calibration_photographs

Pixels = NDArray[np.uint8]

PICTURE_SIDE = 48
"""Side of the parts of photographs that fidelity is judged on when no pictures are given."""

_OPTIONS = ("widths", "front_points")


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        energy = load_energy_model(arguments)
        subject = load_float_subject(arguments, messages, accelerator=energy.accelerator)
        request = _request(arguments, subject.scale)
        with messages.stage("searching") as progress:
            found = search(
                request,
                lambda policy: as_computed(
                    _fixed_bits(subject.quantize(policy)), energy.accelerator, arguments.overflow
                ),
                _pictures(subject, arguments.pictures),
                Target(energy.accelerator, energy, request.image_size),
                arguments.out,
                progress,
            )
        recommended = found.recommended()
        text = json.dumps(found.to_json(), indent=2, allow_nan=False)
        files = []
        if folder:
            policy = recommended.policy.to_yaml()
            folder.write("recommended.yaml", lambda path: path.write_text(policy))
            folder.write("front.png", lambda path: front_chart(found, path))
            folder.write("search.json", lambda path: path.write_text(text + "\n"))
            files = folder.publish()
    if arguments.json:
        print(text)
    else:
        print_search(found, recommended, files)
    return 0


def _fixed_bits(graph: AnyGraph) -> Graph:
    """A graph whose cost and fidelity do not depend on what an image chooses.

    Raises:
        UserError: an image chooses among several.
    """
    if isinstance(graph, Graph):
        return graph
    raise UserError(
        f"search: expected a method of fixed bits, got '{graph.metadata.get('method', graph.name)}'"
        ", whose bits each image decides; choose another --method"
    )


def _request(arguments: Namespace, scale: int) -> SearchRequest:
    given = {name: getattr(arguments, name) for name in _OPTIONS}
    return SearchRequest(
        Size(*(arguments.input_size or sample_input_size(scale))),
        objective=Objective(arguments.objective),
        limits=Limits(arguments.max_energy_uj, arguments.max_cycles, arguments.min_psnr_db),
        **{name: value for name, value in given.items() if value is not None},
    )


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
