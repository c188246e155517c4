"""``hwsim compare RUN RUN …``: recorded runs side by side; nothing is run or estimated again."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from hwsim.cli import options
from hwsim.cli.messages import Messages, Step
from hwsim.cli.output_folder import output_folder
from hwsim.cli.recorded_runs import is_recorded_run, read_run
from hwsim.cli.report_files import RESULT
from hwsim.cli.search_files import write_text
from hwsim.report.page.page import write_page
from hwsim.report.run_differences import NamedRun, RunComparison
from hwsim.report.run_differences_table import print_differences
from hwsim.report.runs_page import runs_page
from quant.common.errors import UserError
from quant.networks import network_names

_FITTING = frozenset({"network", "out", "json"})
"""Options that go with recorded runs."""


def names_runs(names: Sequence[str]) -> bool:
    """Whether recorded runs are named, not networks.

    Raises:
        UserError: both are.
    """
    runs = [name for name in names if _is_run(name)]
    if runs and len(runs) < len(names):
        network = next(name for name in names if name not in runs)
        raise UserError(
            f"compare {network} {runs[0]}: expected networks, or recorded runs, given both; name "
            "folders of runs alone, or networks alone"
        )
    return bool(runs)


def _is_run(name: str) -> bool:
    return name not in network_names() and is_recorded_run(Path(name))


def compare_runs(arguments: Namespace) -> int:
    """Run the command on recorded runs; returns the exit status."""
    _refuse_other_options(arguments)
    paths = [Path(name) for name in arguments.network]
    if len(paths) < 2:
        raise UserError(
            f"compare {paths[0]}: expected two or more recorded runs, given one; name another, or "
            f"see hwsim report {paths[0]}"
        )
    messages = Messages(quiet=arguments.quiet)
    files: list[Path] = []
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        with messages.stage("comparing runs") as progress:
            found = _read(paths, progress)
            if folder:
                text = found.to_json() + "\n"
                folder.write("compare.html", partial(write_page, runs_page(found)))
                folder.write("compare.json", partial(write_text, text))
                files = folder.publish()
    if arguments.json:
        print(found.to_json())
    else:
        print_differences(found, files)
    return 0


def _refuse_other_options(arguments: Namespace) -> None:
    """What decides how networks are run says nothing about what has run.

    Raises:
        UserError: such an option is given.
    """
    parser = ArgumentParser()
    options.add_compare_options(parser)
    for name, default in vars(parser.parse_args([])).items():
        if name not in _FITTING and getattr(arguments, name) != default:
            raise UserError(
                f"--{name.replace('_', '-')}: expected only --out and --json with recorded runs, "
                "which have run already; leave it out, or name networks"
            )


def _read(paths: Sequence[Path], progress: Step) -> RunComparison:
    names = _names(paths)
    runs = []
    for place, (name, path) in enumerate(zip(names, paths, strict=True)):
        progress(place, len(paths))
        runs.append(NamedRun(name, str(path), read_run(path)))
    return RunComparison(tuple(runs))


def _names(paths: Sequence[Path]) -> list[str]:
    """What runs are called: their folders, or files; whole paths where those are not unique."""
    short = [_short_name(path) for path in paths]
    if len(set(short)) == len(short):
        return short
    whole = [str(path) for path in paths]
    if len(set(whole)) < len(whole):
        twice = next(name for name in whole if whole.count(name) > 1)
        raise UserError(f"compare {twice}: expected each run once; leave out the second")
    return whole


def _short_name(path: Path) -> str:
    folder = path if path.is_dir() else path.parent
    return folder.resolve().name if path.is_dir() or path.name == RESULT else path.stem
