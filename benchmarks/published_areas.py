"""The area model beside areas that others have published, misses included.

    python -m benchmarks.published_areas

prints the table of docs/area-model.md, where the sources stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from accelerators import Area, area_of, load_accelerator, load_energy_table
from accelerators.catalog import load_datapath_factors

# Operand bits and square micrometres of a unit, from Bit Fusion's synthesis at 45 nm.
BIT_FUSION_UNITS = ((2, 124.9), (4, 282.2), (8, 687.6), (16, 2203.0))
BIT_FUSION_FUSED_UM2 = 1733.0

# Multipliers, Atomic-C, Atomic-K, buffer in KiB, square millimetres at 16 nm.
NVDLA = (
    (2048, 64, 32, 512, 3.3),
    (1024, 64, 16, 256, 1.8),
    (512, 32, 16, 256, 1.4),
    (256, 32, 8, 256, 1.0),
    (128, 16, 8, 256, 0.84),
    (64, 8, 8, 128, 0.55),
    (32, 8, 4, 128, 0.51),
)

# 8 x 8 multipliers that a published rate takes, as docs/results/published_machines.md derives them,
# and 1000 gate equivalents of the whole chip's logic.
CHIPS_BY_RATE = (("ACNPU, 40 nm", 486, 2333.0), ("ESSR, 28 nm", 2575, 2749.0))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published area and the model's.

    Attributes:
        subject: what was published.
        unit: of both figures.
        published: the figure.
        ours: the model's.
        made_of: what the model's figure is of.
    """

    subject: str
    unit: str
    published: float
    ours: float
    made_of: str

    @property
    def error_percent(self) -> float:
        """Ours over published, less one."""
        return 100 * (self.ours / self.published - 1)

    @property
    def row(self) -> str:
        """A row of the table."""
        return (
            f"| {self.subject} | {self.unit} | {self.published:,.4g} | {self.ours:,.4g} "
            f"| {self.error_percent:+.0f}% | {self.made_of} |"
        )


def comparisons() -> Iterator[Comparison]:
    """Every published figure there is something to compare with."""
    yield from _bit_fusion()
    yield from _nvdla()
    yield from _chips()
    yield from _chips_by_rate()


def table() -> str:
    """The comparisons as a table."""
    head = "| published | unit | published | ours | error | ours is |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(each.row for each in comparisons())])


def _bit_fusion() -> Iterator[Comparison]:
    study = load_datapath_factors("nangate45")
    assert study.parts is not None
    nand2_um2 = study.parts.cells.nand2_um2
    for bits, published_um2 in BIT_FUSION_UNITS:
        ours_um2 = study.area_ge("output_stationary", bits, bits) * nand2_um2
        made_of = f"a unit with {2 * bits + 12} bits of accumulator"
        subject = f"Bit Fusion, {bits} x {bits} unit, 45 nm"
        yield Comparison(subject, "µm²", published_um2, ours_um2, made_of)
    fused_um2 = study.area_ge("composable", 8, 8) * nand2_um2
    yield Comparison(
        "Bit Fusion, fusion unit, 45 nm", "µm²", BIT_FUSION_FUSED_UM2, fused_um2, "a unit"
    )
    _, eight_um2 = BIT_FUSION_UNITS[2]
    yield Comparison(
        "the same over the 8 x 8 unit",
        "ratio",
        BIT_FUSION_FUSED_UM2 / eight_um2,
        study.area_ge("composable", 8, 8) / study.area_ge("output_stationary", 8, 8),
        "the same",
    )


def _nvdla() -> Iterator[Comparison]:
    areas = []
    for multipliers, atomic_c, atomic_k, size_kib, published_mm2 in NVDLA:
        changes = {
            "array.rows": atomic_c,
            "array.columns": atomic_k,
            "vector_unit.lanes": atomic_k,
            "sram.size_kib": size_kib,
        }
        areas.append(_area_mm2("nvdla_2048", 16, changes))
        subject = f"NVDLA, {multipliers} multipliers, {size_kib} KB, 16 nm"
        made_of = f"`nvdla_2048` with {atomic_c} x {atomic_k} elements"
        yield Comparison(subject, "mm²", published_mm2, areas[-1], made_of)
    first, last = NVDLA[1], NVDLA[3]
    multipliers = first[0] - last[0]
    yield Comparison(
        "NVDLA, a multiplier more, 256 to 1024 at 256 KB, 16 nm",
        "µm²",
        1e6 * (first[4] - last[4]) / multipliers,
        1e6 * (areas[1] - areas[3]) / multipliers,
        "the difference of the same",
    )


def _chips() -> Iterator[Comparison]:
    unpu_mm2, ecnn_mm2 = _area_mm2("unpu", 65), _area_mm2("ecnn", 40)
    yield Comparison("UNPU, die, 65 nm", "mm²", 16.0, unpu_mm2, "`unpu`; its SRAM is recalled")
    yield Comparison(
        "eCNN, layout, 40 nm, recalled", "mm²", 55.0, ecnn_mm2, "`ecnn`; its sizes are recalled"
    )


def _chips_by_rate() -> Iterator[Comparison]:
    study = load_datapath_factors("nangate45")
    for name, multipliers, published_kge in CHIPS_BY_RATE:
        units_kge = multipliers * study.area_ge("output_stationary", 8, 8) / 1000
        made_of = f"{multipliers} 8 x 8 units, which its rate takes, and nothing else"
        yield Comparison(f"{name}, all logic", "kGE", published_kge, units_kge, made_of)


def _area_mm2(name: str, technology_nm: int, changes: dict[str, int] | None = None) -> float:
    at_node = {"technology_nm": technology_nm, "energy_scaling": "stillmaker_baas"}
    machine = load_accelerator(name, {**(changes or {}), **at_node})
    area: Area = area_of(machine, load_energy_table(machine.energy_table))
    assert area.area_mm2 is not None
    return area.area_mm2


if __name__ == "__main__":
    print(table())
