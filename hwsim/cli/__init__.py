"""The ``hwsim`` command: a thin shell over the packages; `docs/command-line.md` describes it."""

from hwsim.cli.entry import main

__all__ = ["main"]
