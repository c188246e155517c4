"""``hwsim codesign``: which machine, with which method and which bits."""

from argparse import Namespace
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from hwsim.cli.codesign_files import codesign_text, variant_folders, write_codesign
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import output_folder
from hwsim.cli.search_options import AREA
from hwsim.cli.search_variants import SearchVariants, method_names
from hwsim.cli.varied_machines import varied_machines
from hwsim.cli.workers import search_executor
from hwsim.report.codesign import print_codesign
from hwsim.search.codesign import MachineAim, codesign
from hwsim.torch_threads import one_thread_of_torch


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status, 1 when a machine's integers differ."""
    messages = Messages(quiet=arguments.quiet)
    files: list[Path] = []
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        methods = method_names(arguments)
        machines, rejected = varied_machines(arguments, len(methods))
        executor = stack.enter_context(search_executor(arguments, messages))
        given = SearchVariants(arguments, messages)
        variants = [given.variant(method, machine) for method in methods for machine in machines]
        pictures = given.pictures()
        stack.enter_context(one_thread_of_torch())
        with messages.stage(f"searching {len(variants)} variants") as progress:
            found = codesign(
                variants,
                pictures,
                arguments.out,
                progress,
                executor,
                rejected,
                MachineAim(arguments.max_area, arguments.minimize == AREA),
            )
        if folder:
            with messages.stage("writing"):
                provenance_of = partial(given.provenance, pictures=pictures)
                write_codesign(folder, found, provenance_of, arguments.energy_table)
            files = folder.publish()
    if arguments.json:
        print(codesign_text(found, variant_folders(found) if files else {}))
    else:
        print_codesign(found, files)
    if found.mismatches:
        messages.say("not bit-exact: see the points' 'on_machine'")
        return 1
    return 0
