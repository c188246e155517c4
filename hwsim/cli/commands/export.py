"""``hwsim export``: a network, or what it costs, as files for other tools."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from accelerators import EnergyModel
from hwsim.adaptive import chosen_graph
from hwsim.cli.export_image import ExportImage, read_export_image
from hwsim.cli.machine import load_energy_model
from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_BITS, DEFAULT_METHOD
from hwsim.cli.output_folder import OutputFolder, output_folder
from hwsim.cli.subject import load_subject
from hwsim.export.formats import Format, Writer, format_named
from hwsim.export.request import SCALES, ExportRequest, Settings
from hwsim.machine import KERNELS
from hwsim.schedule.accumulators import all_as_computed
from hwsim.verify.oracles.exported import READING_ENGINES, check_file
from quant.common.errors import UserError
from quant.graph import Graph, GraphError
from quant.graph.adaptive_file import AnyGraph
from quant.networks import network_names

_SETTINGS = {
    "scales": ("qonnx", "qdq"),
    "widths": ("haq",),
    "word_bits": ("golden",),
    "channel_blocks": ("rtl",),
}
"""Settings that only some formats take."""


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    arguments = _with_target(arguments)
    chosen = format_named(arguments.to)
    settings = _settings(arguments)
    folder_path, name = _target(arguments, chosen)
    messages = Messages(quiet=arguments.quiet)
    with output_folder(folder_path) as folder:
        writer = chosen.writer()
        energy = load_energy_model(arguments)
        if chosen.of_machine:
            writer.write_machine(energy.accelerator, settings, folder)
            print("\n".join(map(str, folder.publish())))
            return 0
        given = load_subject(
            _with_rounding(arguments, chosen),
            messages,
            accelerator=energy.accelerator,
            random_when_none_shipped=not chosen.holds_weights,
        ).graph
        image = read_export_image(arguments, given, needed=chosen.needs_image)
        request = _request(chosen, given, image, energy, arguments.overflow)
        with messages.stage(f"writing {arguments.to}") as progress:
            request = replace(request, settings=settings, progress=progress)
            _write(arguments.to, chosen, writer, request, name, folder)
        files = folder.publish()
    print("\n".join(map(str, files)))
    return _status(arguments, request, image, files[0], messages) if arguments.check else 0


def _with_target(arguments: Namespace) -> Namespace:
    """The arguments with a format and a place to write to, whichever way they were given.

    Raises:
        UserError: there is none, or both ways were taken.
    """
    given = [option for option in ("to", "out") if getattr(arguments, option) is not None]
    if arguments.rtl is not None and not given:
        return Namespace(**{**vars(arguments), "to": "rtl", "out": arguments.rtl})
    if arguments.rtl is not None or len(given) < 2:
        told = [f"--{option}" for option in (*given, *(["rtl"] if arguments.rtl else []))]
        raise UserError(
            "expected --to FORMAT and --out PATH, or --rtl DIR alone, given "
            f"{' and '.join(told) or 'none of them'}; hwsim list formats has the formats"
        )
    return arguments


def _settings(arguments: Namespace) -> Settings:
    """What was given of options that only some formats take.

    Raises:
        UserError: one was given for another format.
    """
    given = {option: getattr(arguments, option) for option in _SETTINGS}
    given = {option: value for option, value in given.items() if value is not None}
    for option in given:
        _require_format(arguments, option, _SETTINGS[option])
    if arguments.check:
        _require_format(arguments, "check", tuple(READING_ENGINES))
    return Settings(**given)


def _require_format(arguments: Namespace, option: str, formats: tuple[str, ...]) -> None:
    if arguments.to not in formats:
        raise UserError(
            f"--{option.replace('_', '-')}: expected --to {' or '.join(formats)}, given "
            f"{arguments.to}; leave it out"
        )


def _status(
    arguments: Namespace, request: ExportRequest, image: ExportImage, file: Path, messages: Messages
) -> int:
    """1 where the file, run by its engine, does not give the graph's integers though it should."""
    from hwsim.report.verification import print_checks

    with messages.stage("running the file"):
        check = check_file(arguments.to, file.read_bytes(), request.graph, image.codes())
    print_checks([check])
    is_exact = request.settings.scales == SCALES[0]
    return 1 if check.mismatches and is_exact else 0


def _target(arguments: Namespace, chosen: Format) -> tuple[Path, str]:
    """The folder to write to, and the name of the file there.

    Raises:
        UserError: a file stands where a folder is to be.
    """
    out: Path = arguments.out
    if chosen.output == "folder":
        if out.exists() and not out.is_dir():
            raise UserError(f"--out {out}: expected a folder, found a file; name another")
        return out, ""
    if not out.is_dir():
        return out.parent, out.name
    policy = Path(arguments.bits or DEFAULT_BITS).stem
    made_here = arguments.network in network_names()
    parts = [arguments.method or DEFAULT_METHOD, policy, arguments.rounding] if made_here else []
    stem = arguments.network if made_here else Path(arguments.network).stem
    return out, "_".join(filter(None, [stem, *parts, arguments.to])) + chosen.suffix


def _with_rounding(arguments: Namespace, chosen: Format) -> Namespace:
    """The arguments with the mode of a format, where a network is quantized and none is named."""
    if arguments.rounding is not None or chosen.rounding is None:
        return arguments
    if arguments.network not in network_names():
        return arguments
    return Namespace(**{**vars(arguments), "rounding": chosen.rounding})


def _request(
    chosen: Format,
    given: AnyGraph,
    image: ExportImage,
    energy: EnergyModel,
    overflow: str | None,
) -> ExportRequest:
    """The one graph that is written, as the machine computes it where that matters."""
    if chosen.as_computed:
        given = all_as_computed(given, energy.accelerator, overflow)
    graph = given if isinstance(given, Graph) else chosen_graph(given, image.codes(), KERNELS)
    codes = image.codes() if chosen.needs_image else None
    return ExportRequest(graph, image.size, energy, codes)


def _write(
    name_of_format: str,
    chosen: Format,
    writer: Writer,
    request: ExportRequest,
    name: str,
    folder: OutputFolder,
) -> None:
    try:
        writer.write(request, name, folder)
    except GraphError as error:
        raise UserError(f"--to {name_of_format}: {error}; {chosen.advice}") from error
