"""``hwsim verify``: everything that can be compared with something independent, compared."""

import json
from argparse import Namespace
from dataclasses import asdict

from hwsim.cli.messages import Messages
from hwsim.cli.rtl_check import check_rtl, wants_rtl
from hwsim.cli.subject import load_subject
from hwsim.cli.tensor_check import check_tensors, wants_tensors
from hwsim.verify import Check, verify
from quant.graph.adaptive import AdaptiveGraph


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status, 1 when any check found a mismatch."""
    messages = Messages(quiet=arguments.quiet)
    if wants_rtl(arguments):
        return _finish(check_rtl(arguments, messages), arguments)
    tensors_wanted = wants_tensors(arguments)
    network = load_subject(arguments, messages, random_when_none_shipped=True).graph
    if tensors_wanted:
        checks = check_tensors(arguments, network, messages)
    else:
        with messages.stage("verifying") as progress:
            networks = network.graphs() if isinstance(network, AdaptiveGraph) else [network]
            checks = verify(networks, seed=arguments.seed, progress=progress)
    if arguments.oracles:
        checks += _ask_oracles(arguments.seed, messages)
    return _finish(checks, arguments)


def _finish(checks: list[Check], arguments: Namespace) -> int:
    """Print what was found; returns the exit status."""
    if arguments.json:
        print(json.dumps({"checks": [asdict(check) for check in checks]}, indent=2))
    else:
        from hwsim.report.verification import print_checks

        if checks:
            print_checks(checks)
    return 1 if any(check.mismatches for check in checks) else 0


def _ask_oracles(seed: int, messages: Messages) -> list[Check]:
    """The checks against installed inference engines; the others are named on stderr."""
    from hwsim.verify.oracles import network_suite, suite

    with messages.stage("asking other engines for operators") as progress:
        operators = suite.verify_oracles(seed, progress=progress)
    with messages.stage("asking other engines for whole networks") as progress:
        networks = network_suite.verify_networks(seed, progress=progress)
    for sentence in (*operators.missing, *networks.missing):
        messages.say(sentence)
    return operators.checks + networks.checks
