"""The ``hwsim`` command: a thin shell over the packages; `docs/command-line.md` describes it."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; see `hwsim.cli.entry.run`, which is imported here, within reach."""
    try:
        from hwsim.cli.entry import run
    except KeyboardInterrupt:
        print("hwsim: interrupted; nothing was written", file=sys.stderr)
        return 130
    return run(arguments)
