"""A result on stdout: for people or, with ``--json``, for programs."""

from collections.abc import Sequence
from pathlib import Path

from hwsim.report.result import Result


def show(result: Result, files: Sequence[Path], *, as_json: bool) -> None:
    """Print a result.

    Args:
        result: the result.
        files: what was written.
        as_json: one JSON object and nothing else.
    """
    if as_json:
        print(result.to_json())
        return
    from hwsim.report.summary import print_summary

    print_summary(result, files)
    if result.explanation is not None:
        from hwsim.report.explanation import print_explanation

        print_explanation(result.explanation)
