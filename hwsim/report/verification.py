"""What a verification found, for people."""

from collections.abc import Sequence

from rich.table import Table

from hwsim.report.console import stdout_console
from hwsim.verify import Check


def print_checks(checks: Sequence[Check]) -> None:
    """Print a line for each check, and the place of the first mismatch of each that failed."""
    console = stdout_console()
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("subject", "oracle", "mode"):
        table.add_column(name)
    for name in ("cases", "values", "mismatches"):
        table.add_column(name, justify="right")
    for check in checks:
        figures = (check.cases, check.values, check.mismatches)
        table.add_row(
            check.subject,
            check.oracle,
            check.mode,
            *(f"{figure:,}" for figure in figures),
            style="bold red" if check.mismatches else "",
        )
    console.print(table)
    failed = [check for check in checks if check.mismatches]
    for check in failed:
        console.print(f"{check.subject}, {check.mode}: {check.first_mismatch}", markup=False)
        for line in check.operands:  # as much of a line as fits; --json has all of it
            console.print(f"    {line}", markup=False, no_wrap=True, overflow="ellipsis")
    values = sum(check.values for check in checks)
    verdict = f"{len(failed)} of {len(checks)} checks failed" if failed else "all equal"
    console.print(f"{len(checks)} checks, {values:,} integers compared: {verdict}")
