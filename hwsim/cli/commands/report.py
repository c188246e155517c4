"""``hwsim report``: the page of a run or an estimate, made again from what it wrote."""

from argparse import Namespace
from pathlib import Path

from hwsim.cli.messages import Messages
from hwsim.cli.recorded_runs import read_run
from hwsim.cli.report_files import PAGE
from hwsim.report.page.page import write_page
from hwsim.report.run_page import run_page
from quant.common.files import atomic_output


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    messages = Messages(quiet=arguments.quiet)
    given: Path = arguments.result
    folder = given if given.is_dir() else given.parent
    target: Path = arguments.out or folder / PAGE
    if target.is_dir():
        target /= PAGE
    with messages.stage("reporting"), atomic_output(target) as path:
        write_page(run_page(read_run(given)), path)
    print(target)
    return 0
