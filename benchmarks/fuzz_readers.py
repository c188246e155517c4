"""Damaged and hostile files for every reader: each must end in a value or in one sentence.

Run: python -m benchmarks.fuzz_readers [--inputs N] [--seed N] [--only WORD] [--keep FOLDER]

Inputs are spread evenly over the readers. Prints a line for each, and what ended otherwise, with
the place; exit status 1 where anything did.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzzing.campaign import Outcome, fuzz
from tests.fuzzing.readers import readers


def main() -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="files in all")
    parser.add_argument("--seed", type=int, default=0, help="of the changes")
    parser.add_argument("--only", default="", help="readers whose name has this word")
    parser.add_argument("--keep", type=Path, help="folder for files that are no value or sentence")
    arguments = parser.parse_args()
    chosen = [reader for reader in readers() if arguments.only in reader.name]
    each = -(-arguments.inputs // max(len(chosen), 1))
    started, found = time.monotonic(), []
    print(
        f"{'reader':24}{'inputs':>8}{'read':>8}{'refused':>9}{'bugs':>6}{'slowest':>10}{'grown':>10}"
    )
    for number, reader in enumerate(chosen):
        with tempfile.TemporaryDirectory() as folder:
            outcome = fuzz(reader, each, arguments.seed * 1000 + number, Path(folder))
        found.append(outcome)
        print(_line(outcome), flush=True)
        _keep(outcome, reader.suffix, arguments.keep)
    total = sum(outcome.inputs for outcome in found)
    bugs = sum(outcome.bugs.total() for outcome in found)
    print(f"{total} inputs in {time.monotonic() - started:.0f} s, {bugs} neither read nor refused")
    return 1 if bugs else 0


def _line(outcome: Outcome) -> str:
    counts = f"{outcome.inputs:8}{outcome.accepted:8}{outcome.refused:9}{outcome.bugs.total():6}"
    measures = f"{outcome.slowest_ms:7.0f} ms{outcome.grown_mib:6.0f} MiB"
    bugs = [f"\n    {count} × {key}" for key, count in outcome.bugs.most_common()]
    return f"{outcome.name:24}{counts}{measures}{''.join(bugs)}"


def _keep(outcome: Outcome, suffix: str, folder: Path | None) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for key, content in outcome.examples.items():
        name = f"{outcome.name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}{suffix}"
        (folder / name.replace(" ", "_").replace(",", "")).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
