"""What importing costs: torch is for networks, not for the simulator."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("hwsim, hwsim.api", "numpy torch numba yaml pydantic matplotlib rich networkx"),
        ("hwsim.api.machines, hwsim.api.costs, hwsim.api.runs, hwsim.api.searches", "torch"),
        ("hwsim.cli.parser", "numpy torch numba yaml pydantic matplotlib shtab packaging"),
        ("hwsim.simulation, hwsim.search, hwsim.verify, hwsim.report", "torch"),
        ("quant.graph, quant.imaging, quant.policy, quant.methods, quant.networks", "torch"),
        ("accelerators", "numpy torch numba"),
    ],
)
def test_importing_it_imports_none_of_these(module: str, unwanted: str) -> None:
    code = f"import {module}, sys; print(*set({unwanted.split()}) & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
