"""``hwsim evaluate``: a network on data sets, beside bicubic enlargement."""

import json
from argparse import Namespace
from contextlib import ExitStack
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hwsim.adaptive import chosen_graph
from hwsim.cli.float_source import FloatSource
from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_BITS, DEFAULT_METHOD
from hwsim.cli.output_folder import output_folder
from hwsim.cli.picture_graph import require_picture_graph
from hwsim.cli.subject import open_network, rounded, subject_of
from hwsim.machine import KERNELS, run_layerwise
from hwsim.report.evaluation import Evaluation, print_evaluation
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import bicubic_upscale
from quant.imaging.data_sets import DataSet, open_data_set
from quant.imaging.evaluation import Enlarge, by_patches, evaluate
from quant.networks import network_config, network_names

Pixels = NDArray[np.uint8]


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        if arguments.network in network_names():  # a wrong folder is told before anything slow
            _data_sets(arguments, network_config(arguments.network).scale)
        scale, means = _means(arguments, messages)
        if arguments.patch is not None:
            means = {name: by_patches(m, arguments.patch, scale) for name, m in means.items()}
        judged = []
        for data_set in _data_sets(arguments, scale):
            with messages.stage(f"evaluating on {data_set.name}") as progress:
                judged.append(evaluate(data_set, means, scale, progress))
        quantized_here = "quantized" in means and "float" in means
        evaluation = Evaluation(
            network=arguments.network,
            scale=scale,
            patch=arguments.patch,
            method=(arguments.method or DEFAULT_METHOD) if quantized_here else None,
            policy=(arguments.bits or DEFAULT_BITS) if quantized_here else None,
            means=tuple(means),
            data_sets=tuple(judged),
        )
        text = json.dumps(evaluation.to_json(), indent=2, allow_nan=False)
        files = []
        if folder:
            folder.write("evaluation.json", lambda path: path.write_text(text + "\n"))
            files = folder.publish()
    if arguments.json:
        print(text)
    else:
        print_evaluation(evaluation, files)
    return 0


def _data_sets(arguments: Namespace, scale: int) -> list[DataSet]:
    return [open_data_set(folder, scale) for folder in arguments.data]


def _asks_for_integers(arguments: Namespace) -> bool:
    """A float network is quantized when it is said how."""
    options = (arguments.method, arguments.bits, arguments.calibration)
    return any(given is not None for given in options)


def _means(arguments: Namespace, messages: Messages) -> tuple[int, dict[str, Enlarge]]:
    """The scale, and what enlarges by it."""
    opened = open_network(arguments, messages)
    if isinstance(opened, FloatSource) and not _asks_for_integers(arguments):
        _, enlarge = opened.load()
        return opened.scale, _with_bicubic(opened.scale, {"float": partial(rounded, enlarge)})
    subject = subject_of(opened, arguments, messages)
    require_picture_graph(subject.graph)
    means: dict[str, Enlarge] = {}
    if subject.enlarge is not None:
        means["float"] = partial(rounded, subject.enlarge)
    means["quantized"] = partial(_run, subject.graph)
    scale = int(subject.graph.scale())
    return scale, _with_bicubic(scale, means)


def _with_bicubic(scale: int, means: dict[str, Enlarge]) -> dict[str, Enlarge]:
    return {"bicubic": partial(bicubic_upscale, scale=scale), **means}


def _run(graph: AnyGraph, image: Pixels) -> Pixels:
    codes = image.astype(np.int32)
    return run_layerwise(chosen_graph(graph, codes, KERNELS), codes, KERNELS).astype(np.uint8)
