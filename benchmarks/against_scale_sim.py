"""The cycles that SCALE-Sim steps through, beside the same cycles from closed forms.

    python -m venv /tmp/scale_sim && /tmp/scale_sim/bin/pip install scalesim==3.0.0 "numpy<2.3"
    python benchmarks/against_scale_sim.py --python /tmp/scale_sim/bin/python

The workload is EDSR-baseline x2's four layers that differ, on an array of 32 x 32; SCALE-Sim runs
them in the interpreter given, without writing traces, once for each dataflow. The closed forms are
``accelerators.datapaths.conventions.scale_sim``. "ours" is this project's own output-stationary
array, whose drain overlaps with the next tile.
"""

import argparse
import csv
import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import timing

from accelerators import load_accelerator
from accelerators.datapaths.conventions.scale_sim import ScaleSimLayer, total_cycles
from accelerators.datapaths.output_stationary import convolution_cycles
from accelerators.schema import Array

ROWS = COLUMNS = 32
KERNEL = 3


@dataclass(frozen=True, slots=True)
class Layer:
    """A 3x3 convolution that keeps the size of its square input."""

    name: str
    side: int
    inputs: int
    outputs: int
    repeated: int

    @property
    def pixels(self) -> int:
        """Of the output."""
        return self.side**2

    @property
    def reduction(self) -> int:
        """Products summed for one output."""
        return KERNEL**2 * self.inputs


def layers(side: int) -> list[Layer]:
    """The layers of EDSR-baseline x2 that differ, and how often each occurs."""
    return [
        Layer("head", side, 3, 64, 1),
        Layer("body", side, 64, 64, 33),
        Layer("upsampler", side, 64, 256, 1),
        Layer("tail", 2 * side, 64, 3, 1),
    ]


DATAFLOWS = ("os", "ws", "is")


def closed_form(dataflow: str, layer: Layer) -> int:
    shape = ScaleSimLayer(layer.pixels, layer.reduction, layer.outputs)
    return total_cycles(dataflow, ROWS, COLUMNS, shape)


def own_cycles(layer: Layer, array: Array) -> int:
    return convolution_cycles(array, layer.pixels, layer.outputs, layer.reduction, 8, 8)


# SCALE-Sim's inputs; every key is one it asks for. The layout is not used with these settings.
CONFIGURATION = """\
[general]
run_name = run

[run_presets]
InterfaceBandwidth = CALC
UseRamulatorTrace = False

[architecture_presets]
ArrayHeight = {rows}
ArrayWidth = {columns}
IfmapSramSzkB = 256
FilterSramSzkB = 256
OfmapSramSzkB = 256
IfmapOffset = 0
FilterOffset = 10000000
OfmapOffset = 20000000
Dataflow = {dataflow}
Bandwidth = 10
ReadRequestBuffer = 32
WriteRequestBuffer = 32

[layout]
IfmapCustomLayout = False
IfmapSRAMBankBandwidth = 10
IfmapSRAMBankNum = 10
IfmapSRAMBankPort = 2
FilterCustomLayout = False
FilterSRAMBankBandwidth = 10
FilterSRAMBankNum = 10
FilterSRAMBankPort = 2

[sparsity]
SparsitySupport = False
"""

RUN = """\
import sys
from scalesim.scale_sim import scalesim
config, topology, layout, out = sys.argv[1:]
scalesim(save_disk_space=True, verbose=False, config=config, topology=topology,
         layout=layout).run_scale(top_path=out)
"""


def stepped(python: str, workload: list[Layer], dataflow: str) -> tuple[dict[str, int], float]:
    """SCALE-Sim's cycles of each layer, and the processor seconds of its process."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        config, topology, layout = (folder / each for each in ("c.cfg", "t.csv", "l.csv"))
        config.write_text(CONFIGURATION.format(rows=ROWS, columns=COLUMNS, dataflow=dataflow))
        padded = KERNEL - 1
        topology.write_text(
            "Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, "
            "Num Filter, Strides,\n"
            + "".join(
                f"{each.name}, {each.side + padded}, {each.side + padded}, {KERNEL}, {KERNEL}, "
                f"{each.inputs}, {each.outputs}, 1,\n"
                for each in workload
            )
        )
        header = "Layer" + ", order" * 20
        ones = ", 1" * 20
        layout.write_text(f"{header},\n" + "".join(f"{each.name}{ones},\n" for each in workload))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [python, "-c", RUN, config, topology, layout, folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        report = next(folder.rglob("COMPUTE_REPORT.csv"))
        with report.open() as text:
            rows = [{key.strip(): value for key, value in row.items() if key}
                    for row in csv.DictReader(text)]  # fmt: skip
    key = next(key for key in rows[0] if key.startswith("Total Cycles") and "prefetch" not in key)
    cycles = [int(float(row[key])) for row in rows]
    return dict(zip((each.name for each in workload), cycles, strict=True)), used


def seconds_of(call: Callable[[], object], rounds: int = 1000) -> float:
    start = time.process_time()
    for _ in range(rounds):
        call()
    return (time.process_time() - start) / rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", required=True, help="an interpreter that has scalesim")
    parser.add_argument("--side", type=int, default=32, help="of the square image")
    parser.add_argument("--dataflows", nargs="+", choices=DATAFLOWS, default=DATAFLOWS)
    arguments = parser.parse_args()
    workload = layers(arguments.side)
    print(f"EDSR-baseline x2, {arguments.side}x{arguments.side}, array {ROWS}x{COLUMNS}, "
          f"load {timing.load()}, {timing.processor()}\n")  # fmt: skip
    print("| dataflow | layer | SCALE-Sim reports | closed form | equal |")
    print("|---|---|---|---|---|")
    times = {}
    for dataflow in arguments.dataflows:
        cycles, used = stepped(arguments.python, workload, dataflow)
        closed = seconds_of(lambda name=dataflow: [closed_form(name, each) for each in workload])
        times[dataflow] = used, closed
        for each in workload:
            expected = closed_form(dataflow, each)
            verdict = "yes" if cycles[each.name] == expected else "NO"
            print(f"| {dataflow} | {each.name} | {cycles[each.name]:,} | {expected:,} | "
                  f"{verdict} |")  # fmt: skip
    print("\n| dataflow | SCALE-Sim, CPU s | closed form, CPU us | ratio |\n|---|---|---|---|")
    for dataflow, (used, closed) in times.items():
        print(f"| {dataflow} | {used:.1f} | {closed * 1e6:.2f} | {used / closed:,.0f} |")
    array = load_accelerator("edge_npu").array
    ours = sum(each.repeated * own_cycles(each, array) for each in workload)
    theirs = sum(each.repeated * closed_form("os", each) for each in workload)
    closed = seconds_of(lambda: [own_cycles(each, array) for each in workload])
    print(f"\nAll 36 layers, output stationary: {ours:,} cycles with an overlapped drain (ours), "
          f"{theirs:,} as SCALE-Sim counts.")  # fmt: skip
    print(f"Ours take {closed * 1e6:.0f} us for the four layers.")


if __name__ == "__main__":
    main()
