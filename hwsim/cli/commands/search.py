"""``hwsim search``: the bits of each layer that give the best quality for their cost."""

from argparse import Namespace
from contextlib import ExitStack

from hwsim.cli.machine import load_energy_model
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import output_folder
from hwsim.cli.search_files import search_json, write_search
from hwsim.cli.search_inputs import (
    MachineGraphs,
    most_cycles,
    search_pictures,
    search_request,
)
from hwsim.cli.search_provenance import search_provenance
from hwsim.cli.subject import load_float_subject
from hwsim.cli.workers import search_executor
from hwsim.report.search import print_search
from hwsim.search import Target, search
from hwsim.torch_threads import one_thread_of_torch


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        energy = load_energy_model(arguments)
        executor = stack.enter_context(search_executor(arguments, messages))
        accelerator = energy.accelerator
        subject = load_float_subject(arguments, messages, accelerator=accelerator)
        request = search_request(arguments, subject.scale, most_cycles(arguments, accelerator))
        pictures = search_pictures(subject, arguments.pictures)
        target = Target(accelerator, energy, request.image_size)
        build = MachineGraphs(subject.encode, accelerator, arguments.overflow)
        stack.enter_context(one_thread_of_torch())
        with messages.stage("searching") as progress:
            found = search(request, build, pictures, target, arguments.out, progress, executor)
        recommended = found.recommended()
        files = []
        if folder:
            base_sha256 = found.base_sha256
            provenance = search_provenance(arguments, request, energy, pictures, base_sha256)
            write_search(folder, found, recommended, provenance)
            files = folder.publish()
    if arguments.json:
        print(search_json(found))
    else:
        print_search(found, recommended, files)
    if found.mismatches:
        messages.say("not bit-exact: see the points' 'on_machine'")
        return 1
    return 0
