"""``hwsim completion``: the script that lets a shell complete the command line."""

from argparse import Namespace

from hwsim.cli.completion import completion_script


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    print(completion_script(arguments.shell))
    return 0
