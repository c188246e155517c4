"""``hwsim doctor``: what this machine supports, and what is installed on it."""

from argparse import Namespace

from hwsim.cli.messages import Messages
from hwsim.doctor import examine


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status, which is 0 whatever is found."""
    with Messages(quiet=arguments.quiet).stage("looking"):
        found = examine()
    if arguments.json:
        print(found.to_json())
        return 0
    from hwsim.doctor.summary import print_examination

    print_examination(found)
    return 0
