"""How fast arrays compute in Verilog: simulated cycles a second, beside the stepped model.

Run: python -m benchmarks.co_simulation [--rounds N] [--rows 8] [--columns 8]
Needs Verilator and Icarus (Debian: apt install verilator g++ iverilog).

Each kind computes a convolution of 3 x 3 x 16 to 16 channels of 8 bits; Verilator many pixels, the
other two few. Contenders take turns; the table has the medians and their ratio to Icarus. All
must give the codes of NumPy and the cycles of the closed form. The build is timed once, without
what earlier builds left.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from accelerators import Accelerator, load_accelerator
from accelerators.datapaths.kinds import DATAPATHS
from accelerators.schema import Array
from benchmarks.timing import load, processor
from hwsim.verify.rtl.array_design import array_design
from hwsim.verify.rtl.array_ports import ArrayPorts
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.outcome import Simulation
from hwsim.verify.rtl.tile_checks import check_tiles, tile_cases
from hwsim.verify.rtl.tiles import Tile
from hwsim.verify.rtl.verilator import VerilatorSimulation
from hwsim.verify.stepped import Product, run_stepped

CHANNELS, REDUCTION, BITS = 16, 144, 8
VERILATOR_PIXELS, OTHER_PIXELS = 4096, 24


def product(pixels: int) -> Tile:
    """Random operands and their codes."""
    random = np.random.default_rng(0)
    activations = random.integers(0, 1 << BITS, (pixels, REDUCTION))
    weights = random.integers(-(1 << (BITS - 1)), 1 << (BITS - 1), (REDUCTION, CHANNELS))
    scale = np.array([0, 1, 9, 0, -128, 127])
    scales = np.tile(scale, (CHANNELS, 1))
    codes = np.clip((activations @ weights + 256) >> 9, -128, 127)
    made = Product(activations, weights, 9, BITS, BITS, False, scales)
    places = np.stack([0 * np.arange(pixels), np.arange(pixels)], axis=1)
    return Tile("random", places, 0, made, "half_up", codes)


def simulated(array: Array, simulation: Simulation, case: Tile) -> int:
    """Cycles of the case; fails where anything differs."""
    ports = ArrayPorts(array_design(array), machine_with(array), "")
    cases, _ = tile_cases(ports, [case])
    outcomes = simulation.run_many([cases[0].job])
    for check in check_tiles(array.dataflow, "NumPy", cases, outcomes):
        if check.first_mismatch:
            raise SystemExit(f"{array.dataflow}: {check.first_mismatch}")
    return cases[0].cycles or 0


def machine_with(array: Array) -> Accelerator:
    """The edge NPU with another array."""
    data = load_accelerator("edge_npu").model_dump()
    return Accelerator.model_validate({**data, "array": array.model_dump()})


def stepped(array: Array, case: Tile) -> int:
    """The same on the stepped model."""
    result = run_stepped(array, case.product)
    if (result.codes != case.codes).any():
        raise SystemExit(f"{array.dataflow}: the stepped model gave other codes")
    return result.cycles


def rate(work: Callable[[], int]) -> float:
    """Cycles a second."""
    begun = time.perf_counter()
    cycles = work()
    return cycles / (time.perf_counter() - begun)


def measure(kind: str, rows: int, columns: int, rounds: int) -> None:
    array = Array.model_validate(
        {
            "rows": rows,
            "columns": columns,
            "dataflow": kind,
            "weight_bits": BITS,
            "activation_bits": BITS,
            "accumulator_bits": 32,
        }
    )
    large, small = product(VERILATOR_PIXELS), product(OTHER_PIXELS)
    with tempfile.TemporaryDirectory() as folder:
        VerilatorSimulation(array_design(array), Path(folder))  # Verilator's own code is built
        begun = time.perf_counter()
        design = array_design(array, scales=17)  # another parameter, so built anew
        verilator = VerilatorSimulation(design, Path(folder))
        build_seconds = time.perf_counter() - begun
        icarus = IcarusSimulation(array_design(array))
        contenders: dict[str, Callable[[], int]] = {
            "Verilator": lambda: simulated(array, verilator, large),
            "Icarus": lambda: simulated(array, icarus, small),
            "stepped": lambda: stepped(array, small),
        }
        stepped(array, small)  # compiles
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, work in contenders.items():
                rates[name].append(rate(work))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    shown = "  ".join(
        f"{value / 1e3:10.1f} ({value / middle['Icarus']:6.1f}x)" for value in middle.values()
    )
    print(f"{kind:18} {shown}  {build_seconds:6.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--kinds", nargs="+", default=list(DATAPATHS), choices=list(DATAPATHS))
    arguments = parser.parse_args()
    print(f"{processor()}, load {load()}; {arguments.rows} x {arguments.columns}")
    print("thousand cycles a second (ratio to Icarus); build in seconds")
    print(f"{'kind':18} {'Verilator':>20} {'Icarus':>20} {'stepped':>20}  build")
    for kind in arguments.kinds:
        measure(kind, arguments.rows, arguments.columns, arguments.rounds)


if __name__ == "__main__":
    main()
