"""Designs in Icarus Verilog: slow, but it knows unknown values."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hwsim.verify.rtl.bench import BENCH, Bench, bench_of
from hwsim.verify.rtl.bench_results import parse_results
from hwsim.verify.rtl.bench_text import MODULE, RESULTS
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
        return run_bench(bench_of(self.design, jobs)) if jobs else []


def run_bench(bench: Bench) -> list[Outcome]:
    """Run a bench by Icarus.

    Raises:
        UserError: Icarus is not installed or refuses the sources.
    """
    design = bench.design
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in bench.files.items():
            (folder / file).write_text(text, encoding="ascii")
        task = f"running '{design.top}'"
        options = ["-g2012", "-s", MODULE, "-o", "bench.vvp", *design.include_options]
        run_tool("iverilog", [*options, BENCH, *design.source_paths], folder, task)
        run_tool("vvp", ["-n", "bench.vvp"], folder, task)
        results = (folder / RESULTS).read_text(encoding="ascii")
    return parse_results(bench, results, RESULTS)
