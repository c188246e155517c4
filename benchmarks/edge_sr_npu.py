"""Kinds of array, SRAM sizes and vector units of an edge super-resolution NPU, at equal array area.

Run: python -m benchmarks.edge_sr_npu

Prints the tables of docs/results/edge_sr_npu.md, on which configs/accelerators/edge_sr_npu.yaml
rests. Only widths and shapes count, so the networks have random weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import Any

from accelerators import Accelerator, EnergyModel, load_accelerator, load_energy_table
from accelerators.catalog import load_datapath_factors
from accelerators.datapaths.kinds import datapath_of
from accelerators.schema import Array
from hwsim.cost import ProgramCost
from hwsim.estimation import Estimator
from quant.graph import Graph, Size
from tests.edsr_graphs import Bits, edsr_graph, edsr_layers

SMALL, LARGE = Size(180, 320), Size(540, 960)
NETWORKS = {"EDSR-baseline": (16, 64), "EDSR 5 x 32": (5, 32)}
BODY_BITS: tuple[Bits, ...] = ((8, 8), (4, 8), (4, 4))
TABLES = ("synth45", "horowitz45")
SRAM_KIB = (256, 512, 1024, 2048)
VECTOR_LANES = (32, 64)
ACCUMULATOR_BITS = 32
"""Of every bit-parallel unit; serial and composable ones are as they were synthesized."""
FEWEST_BANKS = 16


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kind of array.

    Attributes:
        name: in the tables.
        dataflow: as in a machine's file.
        weight_bits: native.
        activation_bits: native.
        more: other keys of the array.
        columns: of the array; each has a requantizer, which `element_ge` leaves out.
    """

    name: str
    dataflow: str
    weight_bits: int
    activation_bits: int
    more: dict[str, int] = field(default_factory=dict)
    columns: int = 32

    @property
    def element_ge(self) -> float:
        """Gate equivalents of a processing element, with all its lanes."""
        # Weight-stationary units were not synthesized for area: they hold the same registers.
        kind = "output_stationary" if self.dataflow == "weight_stationary" else self.dataflow
        study = load_datapath_factors("nangate45")
        assert study.parts is not None
        return study.parts.element_ge(
            study.area_of(kind),
            self.weight_bits,
            self.activation_bits,
            self.more.get("lanes", 1),
            ACCUMULATOR_BITS,
        )

    @property
    def rows(self) -> int:
        """As many as fit the area of 32 x 32 elements of 8 x 8 bits, an even number."""
        most_ge = 32 * 32 * CANDIDATES[0].element_ge
        return int(most_ge / (self.columns * self.element_ge)) // 2 * 2

    def machine(self, sram_kib: int = 512, lanes: int = 32) -> Accelerator:
        """edge_npu with this array."""
        data: dict[str, Any] = load_accelerator("edge_npu").model_dump()
        data["name"] = f"{self.name}, {sram_kib} KiB, {lanes} lanes"
        data["array"].update(
            dataflow=self.dataflow,
            rows=self.rows,
            columns=self.columns,
            weight_bits=self.weight_bits,
            activation_bits=self.activation_bits,
            accumulator_bits=ACCUMULATOR_BITS,
            **self.more,
        )
        feed_bits = datapath_of(Array.model_validate(data["array"])).feed_bits_per_cycle
        words = -(-feed_bits // data["sram"]["word_bits"])
        banks = max(FEWEST_BANKS, 1 << (words - 1).bit_length())
        data["sram"].update(size_kib=sram_kib, banks=banks)
        data["vector_unit"]["lanes"] = lanes
        return Accelerator.model_validate(data)


STATIONARY = {"accumulator_entries": 128}
SERIAL = {"lanes": 16}
CANDIDATES = (
    Candidate("output stationary, 8 x 8", "output_stationary", 8, 8),
    Candidate("the same, 16 columns", "output_stationary", 8, 8, columns=16),
    Candidate("output stationary, 4 x 8", "output_stationary", 4, 8),
    Candidate("the same, 16 columns", "output_stationary", 4, 8, columns=16),
    Candidate("output stationary, 4 x 4", "output_stationary", 4, 4),
    Candidate("weight stationary, 8 x 8", "weight_stationary", 8, 8, STATIONARY),
    Candidate("composable, 8 x 8", "composable", 8, 8, STATIONARY),
    Candidate("activation serial, weights 8", "activation_serial", 8, 8, SERIAL),
    Candidate("the same, 16 columns", "activation_serial", 8, 8, SERIAL, 16),
    Candidate("activation serial, weights 4", "activation_serial", 4, 8, SERIAL),
    Candidate("weight serial, activations 8", "weight_serial", 8, 8, SERIAL),
)
CHOSEN = CANDIDATES[8]


@dataclass(frozen=True, slots=True)
class Figures:
    """One network on one machine.

    Attributes:
        ms: latency of an image.
        mj: its energy.
        dram_mb: bytes over the DRAM bus, in 10^6.
    """

    ms: float
    mj: float
    dram_mb: float

    @classmethod
    def of(cls, cost: ProgramCost) -> "Figures":
        """Of a program's cost."""
        dram_mb = (cost.dram_read_bytes + cost.dram_write_bytes) / 1e6
        return cls(cost.latency_ms, cost.energy_uj / 1e3, dram_mb)

    @property
    def product(self) -> float:
        """Time times energy."""
        return self.ms * self.mj


@cache
def network(name: str, bits: Bits) -> Graph:
    """An EDSR x2 with a body of these widths; head, upsampler and tail keep 8 bits."""
    blocks, channels = NETWORKS[name]
    outer = ("head", "upsampler", "tail")
    layers = {layer: (8, 8) if layer in outer else bits for layer in edsr_layers(blocks)}
    return edsr_graph(blocks, channels, 2, layers)


def measured(machine: Accelerator, table: str, image: Size) -> dict[tuple[str, Bits], Figures]:
    """Both networks at all widths on a machine."""
    estimator = Estimator(machine, EnergyModel(machine, load_energy_table(table)))
    return {
        (name, bits): Figures.of(estimator.cost(network(name, bits), image))
        for name in NETWORKS
        for bits in BODY_BITS
    }


def mean_product(figures: dict[tuple[str, Bits], Figures], widths: tuple[Bits, ...]) -> float:
    """Geometric mean of time times energy over both networks at some widths, in ms mJ."""
    products = [each.product for (_, bits), each in figures.items() if bits in widths]
    return float(prod(products) ** (1 / len(products)))


def cells(figures: dict[tuple[str, Bits], Figures]) -> str:
    """Milliseconds / millijoules for every width, then the means."""
    pairs = [f"{each.ms:.1f} / {each.mj:.1f}" for each in figures.values()]
    means = [mean_product(figures, ((4, 4),)), mean_product(figures, BODY_BITS)]
    return " | ".join([*pairs, *(f"{mean:.0f}" for mean in means)])


def heading(first: str) -> str:
    """The first two lines of a table with `cells`."""
    columns = [f"{name} w{w}a{a}" for name in NETWORKS for w, a in BODY_BITS]
    names = [first, *columns, "ms mJ, w4a4", "ms mJ, all widths"]
    return f"| {' | '.join(names)} |\n{'|---' * len(names)}|"


def kinds(table: str) -> Iterator[str]:
    """Every candidate at 512 KiB and 32 lanes."""
    yield heading("array")
    for candidate in CANDIDATES:
        figures = measured(candidate.machine(), table, SMALL)
        yield f"| {candidate.name} | {cells(figures)} |"


def arrays() -> Iterator[str]:
    """Sizes and areas."""
    yield "| array | elements | a product, GE | array, kGE | products a cycle, w8a8, w4a8, w4a4 |"
    yield "|---|---|---|---|---|"
    for candidate in CANDIDATES:
        array = candidate.machine().array
        rates = [float(datapath_of(array).peak_macs_per_cycle(*bits)) for bits in BODY_BITS]
        area_kge = array.processing_elements * candidate.element_ge / 1e3
        rows = f"{array.rows} x {array.columns}" + (f" x {array.lanes}" if array.lanes > 1 else "")
        each = ", ".join(f"{1e3 * area_kge / rate:,.0f}" for rate in rates)
        shown = ", ".join(f"{rate:,.0f}" for rate in rates)
        yield f"| {candidate.name} | {rows} | {each} | {area_kge:,.0f} | {shown} |"


def memories() -> Iterator[str]:
    """The chosen array with every SRAM size and vector unit."""
    yield heading("SRAM, vector lanes")
    for sram_kib in SRAM_KIB:
        for lanes in VECTOR_LANES:
            figures = measured(CHOSEN.machine(sram_kib, lanes), TABLES[0], SMALL)
            yield f"| {sram_kib} KiB, {lanes} | {cells(figures)} |"


def large() -> Iterator[str]:
    """DRAM traffic beside time and energy of a large image."""
    columns = [f"{name} w{w}a{a}" for name in NETWORKS for w, a in BODY_BITS]
    yield f"| SRAM | {' | '.join(columns)} | ms mJ, w4a4 | ms mJ, all widths |"
    yield "|---" * (len(columns) + 3) + "|"
    for sram_kib in SRAM_KIB:
        figures = measured(CHOSEN.machine(sram_kib), TABLES[0], LARGE)
        shown = [f"{each.dram_mb:.0f} / {each.ms:.0f} / {each.mj:.0f}" for each in figures.values()]
        means = [mean_product(figures, widths) for widths in (((4, 4),), BODY_BITS)]
        shown += [f"{mean:,.0f}" for mean in means]
        yield f"| {sram_kib} KiB | {' | '.join(shown)} |"


def main() -> None:
    """Print all tables."""
    sections = [("arrays", arrays())]
    sections += [(f"kinds, {table}", kinds(table)) for table in TABLES]
    sections += [("memories", memories()), ("large", large())]
    for title, lines in sections:
        print(f"## {title}\n")
        for line in lines:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
