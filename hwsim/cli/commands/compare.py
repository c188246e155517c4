"""``hwsim compare``: methods, networks and machines in one table, or recorded runs side by side."""

import json
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators import load_accelerator
from hwsim.cli.compared_network import compared_network
from hwsim.cli.compared_runs import compare_runs, names_runs
from hwsim.cli.distinct import distinct
from hwsim.cli.machine import scheduled_energy_model
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import OutputFolder, output_folder
from hwsim.compare import (
    DEFAULT_SIZE,
    CompareRequest,
    CompareResult,
    PictureSet,
    read_picture_set,
    sweep,
)
from hwsim.report.comparison import markdown, print_comparison
from hwsim.report.comparison_chart import write_comparison_chart
from hwsim.report.comparison_table import comparison_csv
from quant.common.errors import UserError, suggestion
from quant.common.requantization_modes import mode_named
from quant.graph import Size
from quant.imaging import DEFAULT_SAMPLE, sample_photograph
from quant.networks import network_config
from quant.policy import BitPolicy

Pixels = NDArray[np.uint8]

_CHECKED_SIDE_PIXELS = 64
"""Of the part of the sample photograph that machines run when no data set is given."""


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status, 1 when a machine's integers differ."""
    if names_runs(arguments.network):
        return compare_runs(arguments)
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        request = _request(arguments, messages)
        with messages.stage("comparing") as progress:
            found = sweep(request, arguments.out, progress, messages.say)
        text = json.dumps(found.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
        files = _write(folder, found, text) if folder else []
    if arguments.json:
        print(text)
    else:
        print_comparison(found, files)
    checked = [cell.bit_exact for cell in found.cells if cell.bit_exact is not None]
    if any(each.mismatches for each in checked):
        messages.say("not bit-exact: see the rows' 'bit_exact'")
        return 1
    return 0


def _request(arguments: Namespace, messages: Messages) -> CompareRequest:
    """Everything that can be wrong is found wrong here, before anything slow."""
    from quant.methods import method_named

    names = distinct(arguments.network, "network")
    scales = {name: network_config(name).scale for name in names}
    weights = _weights(arguments, names)
    methods = [str(method_named(name)) for name in arguments.method]
    bits = distinct([_policy_name(text) for text in arguments.bits], "policy")
    policies = dict(zip(bits, map(BitPolicy.load, arguments.bits), strict=True))
    machines = [
        scheduled_energy_model(load_accelerator(name), arguments) for name in arguments.accelerator
    ]
    distinct([machine.accelerator.name for machine in machines], "accelerator")
    rounding = None if arguments.rounding is None else mode_named(arguments.rounding).name
    pictures = {
        scale: read_picture_set(arguments.data, scale)
        for scale in sorted(set(scales.values()))
        if arguments.data
    }
    return CompareRequest(
        tuple(
            compared_network(
                name,
                weights.get(name),
                arguments.calibration,
                messages,
                fake=arguments.fake_quantized,
            )
            for name in names
        ),
        distinct(methods, "method"),
        policies,
        machines=tuple(machines),
        pictures=pictures,
        size=Size(*arguments.input_size) if arguments.input_size else DEFAULT_SIZE,
        rounding=rounding,
        check=_checked(pictures) if arguments.check else None,
    )


def _weights(arguments: Namespace, networks: tuple[str, ...]) -> dict[str, Path]:
    weights: dict[str, Path] = {}
    for name, file in arguments.weights:
        if name not in networks:
            raise UserError(
                f"--weights {name}={file}: expected one of the networks that are compared; "
                + suggestion(name, networks)
            )
        weights[name] = file
    return weights


def _policy_name(text: str) -> str:
    return Path(text).stem if text.endswith((".yaml", ".yml")) else text


def _checked(pictures: dict[int, PictureSet]) -> Pixels:
    """The picture that machines run: the smallest of the largest scale, or a part of the sample."""
    if pictures:
        return pictures[max(pictures)].smallest().low
    sample = sample_photograph(DEFAULT_SAMPLE)
    top, left = ((side - _CHECKED_SIDE_PIXELS) // 2 for side in sample.shape[:2])
    return sample[top : top + _CHECKED_SIDE_PIXELS, left : left + _CHECKED_SIDE_PIXELS]


def _write(folder: OutputFolder, found: CompareResult, text: str) -> list[Path]:
    def write(name: str, content: str) -> None:
        folder.write(name, lambda path: path.write_text(content, encoding="utf-8"))

    if found.data_sets:
        folder.write("compare.png", lambda path: write_comparison_chart(path, found))
    write("compare.csv", comparison_csv(found))
    write("compare.md", markdown(found))
    write("compare.json", text + "\n")
    return folder.publish()
