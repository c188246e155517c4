"""The error every user mistake ends in, and the words it is told in."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in what the user gave: a file, a configuration, an argument.

    The message is one sentence that says where, what was expected, what was given and what to
    do. The command line prints it to stderr, without a traceback, and exits with status 2.
    """


class CheckError(UserError):
    """A check that the user asked for failed.

    As `UserError`, but nothing is wrong with what was given: the command line exits with status 1.
    """


class UnsupportedError(Exception):
    """Something of one operator of a network that has no counterpart here; says what.

    Whoever reads the network collects these, and names all of them in one `UserError`.
    """


def suggestion(given: str, known: Iterable[str]) -> str:
    """The closing words of an unknown-name message: the nearest known names, else all of them.

    Args:
        given: the name that is not known.
        known: the names that are.

    Returns:
        ``"did you mean 'x' or 'y'?"`` when something is close, else ``"known: x, y, z"``.
    """
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"'{name}'" for name in close) + "?"
    return "known: " + ", ".join(names)
