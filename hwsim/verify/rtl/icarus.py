"""Designs in Icarus Verilog: slow, but it knows unknown values."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hwsim.verify.rtl.bench import BENCH, MODULE, RESULTS, bench_files
from hwsim.verify.rtl.bench_results import parse_results
from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.outcome import Job, Outcome
from hwsim.verify.rtl.toolchain import find_tool, run_tool


class IcarusSimulation:
    """A design run by Icarus, through the bench that users get too."""

    def __init__(self, design: Design) -> None:
        """Prepare a design.

        Args:
            design: what to simulate.

        Raises:
            UserError: Icarus is not installed.
        """
        find_tool("iverilog")
        self.design = design

    def run(self, job: Job) -> Outcome:
        """Reset the design and run one job.

        Raises:
            UserError: Icarus refuses the sources.
        """
        return self.run_many([job])[0]

    def run_many(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs one after the other, each from reset.

        Raises:
            UserError: Icarus refuses the sources.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file, text in bench_files(self.design, jobs).items():
                (folder / file).write_text(text, encoding="ascii")
            run_icarus(self.design, folder)
            results = (folder / RESULTS).read_text(encoding="ascii")
        return parse_results(self.design, len(jobs), results, RESULTS)


def run_icarus(design: Design, folder: Path) -> None:
    """Run a bench that lies in a folder, next to its files; its results are there afterwards."""
    task = f"running '{design.top}'"
    options = ["-g2012", "-s", MODULE, "-o", "bench.vvp", *design.include_options]
    run_tool("iverilog", [*options, BENCH, *design.source_paths], folder, task)
    run_tool("vvp", ["-n", "bench.vvp"], folder, task)
