"""This project's models beside figures that others have published of machines, misses included.

    python benchmarks/published_machines.py

Machines are the files of benchmarks/machines/, networks the graphs of ``plain_graphs``. Sources of
every published figure stand in docs/results/published_machines.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plain_graphs import Builder, parameters, plain, residual_classifier, sesr

from accelerators import (
    Accelerator,
    Action,
    EnergyModel,
    load_accelerator,
    load_energy_table,
    resized,
)
from accelerators.catalog import load_datapath_factors
from accelerators.datapaths.interface import Work
from accelerators.datapaths.kinds import datapath_of
from hwsim.cost.explanation import CAUSES, LayerExplanation, explain, explained_in_sequence
from hwsim.schedule import schedule
from quant.graph import Graph, Size

MACHINES = Path(__file__).parent / "machines"
LEAST_SHOWN = 0.05

# Milliseconds on a QCS6490 at 128x128 pixels, w8a8, TensorFlow Lite.
HEXAGON = (
    ("QuickSRNetSmall", plain("quicksrnet_small", 32, 2, 4), 1.042),
    ("QuickSRNetMedium", plain("quicksrnet_medium", 32, 5, 4), 1.139),
    ("SESR-M5", sesr("sesr_m5", 16, 256, 5, 4), 2.479),
    ("QuickSRNetLarge", plain("quicksrnet_large", 64, 11, 4), 2.695),
    ("Real-ESRGAN-general-x4v3", plain("general_x4v3", 64, 32, 4), 5.946),
)

# Multipliers, Atomic-C, Atomic-K, buffer in KiB, DRAM in GB/s, images of ResNet-50 a second.
NVDLA = (
    (2048, 64, 32, 512, 20.0, 269.0),
    (1024, 64, 16, 256, 15.0, 153.0),
    (512, 32, 16, 256, 10.0, 93.0),
    (256, 32, 8, 256, 5.0, 46.0),
    (128, 16, 8, 256, 2.0, 20.0),
    (64, 8, 8, 128, 1.0, 7.3),
    (32, 8, 4, 128, 0.5, 3.6),
)

# Convolutions of nv_small: width, height and channels of input and output, kernel area, cycles of
# its RTL in simulation, which is fed 8 bytes every second cycle.
NV_SMALL = (
    ("dc_35x22x54_6x8", (35, 22, 54), (36, 24, 29), 48, 1_189_330),
    ("dc_32x26x76_6x3", (32, 26, 76), (29, 28, 16), 18, 314_722),
    ("dc_8x16x128_3x3", (8, 16, 128), (7, 17, 32), 9, 77_032),
    ("dc_24x33x55_5x5", (24, 33, 55), (7, 12, 25), 25, 78_780),
    ("dc_14x7x49_3x4", (14, 7, 49), (14, 7, 32), 12, 35_954),
    ("dc_1x1x8_1x1", (1, 1, 8), (1, 1, 8), 1, 196),
)
NV_SMALL_BYTES_PER_CYCLE = 4

# GOPS by weight bits; an operation is half a multiply-accumulate.
UNPU_GOPS = {16: 345.6, 1: 7372.0}
UNPU_TOPS_PER_WATT = {16: 3.08, 1: 50.6}


@dataclass(frozen=True, slots=True)
class Chip:
    """A published super-resolution chip.

    Attributes:
        name: of the chip.
        image: height and width of the image that it enlarges.
        macs_per_pixel: of that image.
        derivation: of those, in words.
        frames_per_second: published.
        clock_mhz: published; None where what was read does not say.
        utilization: published; None likewise.
    """

    name: str
    image: Size
    macs_per_pixel: float
    derivation: str
    frames_per_second: float
    clock_mhz: float | None
    utilization: float | None


def fsrcnn_macs_per_pixel() -> float:
    """Of FSRCNN(56, 12, 4), its deconvolution counted for each pixel of the small image."""
    builder = Builder().image(1).convolution(56, 5).convolution(12, 1)
    for _ in range(4):
        builder.convolution(12, 3)
    graph = builder.convolution(56, 1).convolution(1, 9).graph("fsrcnn")
    image = Size(54, 96)
    return graph.macs(image) / image.pixels


def chips() -> tuple[Chip, ...]:
    acnpu = 0.64 * fsrcnn_macs_per_pixel()
    words = "36 % less than FSRCNN"
    return (
        Chip("ACNPU x2", Size(540, 960), acnpu, words, 31.7, 270, None),
        Chip("ACNPU x4", Size(270, 480), acnpu, words, 124.4, 270, None),
        Chip("ESSR x4 to 8K", Size(1080, 1920), 51e3 / 2,
             "one for each of 51 K parameters, half of them by selection", 30, 800, 0.77),
    )  # fmt: skip


def table(header: str, rows: Iterator[str]) -> None:
    print(header)
    print("|---" * (header.count("|") - 1) + "|")
    for row in rows:
        print(row)
    print()


def error(ours: float, published: float) -> str:
    return f"{ours / published - 1:+.1%}"


def lost_to(layer: LayerExplanation) -> str:
    """The causes that take the most cycles."""
    shares = {cause: layer.share(cause) for cause in CAUSES}
    large = sorted(shares, key=lambda cause: -shares[cause])
    return ", ".join(f"{cause} {shares[cause]:.0%}" for cause in large
                     if shares[cause] >= LEAST_SHOWN)  # fmt: skip


def explained(graphs: tuple[tuple[Graph, Size], ...], machine: Accelerator) -> LayerExplanation:
    programs = [schedule(graph, machine, image) for graph, image in graphs]
    return explained_in_sequence([explain(program, machine) for program in programs]).total


def hexagon() -> Iterator[str]:
    machine = load_accelerator(MACHINES / "hexagon_qcs6490.yaml")
    image = Size(128, 128)
    launch_ms = machine.launch_overhead_us / 1e3

    def milliseconds(layers: LayerExplanation) -> float:
        return layers.cycles / machine.clock_mhz / 1e3 + launch_ms

    for name, graph, published_ms in HEXAGON:
        total = explained(((graph, image),), machine)
        apart_ms = milliseconds(explained(((graph, image),), resized(machine, fusion=False)))
        ours_ms = milliseconds(total)
        line_ms = launch_ms + 0.257 * graph.macs(image) / 1e9
        yield (
            f"| {name} | {parameters(graph) / 1e3:,.1f} K | {graph.macs(image) / 1e9:.2f} | "
            f"{published_ms:.3f} | {line_ms:.3f} | {ours_ms:.3f} | {error(ours_ms, published_ms)} "
            f"| {error(apart_ms, published_ms)} | {lost_to(total)} |"
        )


def nvdla() -> Iterator[str]:
    data = load_accelerator(MACHINES / "nvdla.yaml").model_dump()
    graphs = tuple((graph, Size(side, side)) for graph, side in residual_classifier())
    for multipliers, atomic_c, atomic_k, size_kib, bandwidth, published in NVDLA:
        data["array"].update(lanes=atomic_c, columns=atomic_k)
        data["vector_unit"].update(lanes=atomic_k)
        data["sram"].update(size_kib=size_kib)
        data["dram"].update(bandwidth_gb_per_s=bandwidth)
        machine = Accelerator.model_validate(data)
        total = explained(graphs, machine)
        in_cascades = explained(graphs, resized(machine, fusion=True))
        ours, fused = (machine.clock_mhz * 1e6 / each.cycles for each in (total, in_cascades))
        yield (
            f"| {multipliers} | {atomic_c} x {atomic_k} | {size_kib} | {bandwidth} | {published} "
            f"| {ours:.1f} | {error(ours, published)} | {error(fused, published)} "
            f"| {lost_to(total)} |"
        )


def nv_small() -> Iterator[str]:
    machine = load_accelerator(MACHINES / "nvdla.yaml")
    array = machine.array.model_copy(update={"columns": 8, "lanes": 8})
    for name, source, target, taps, published in NV_SMALL:
        work = Work(target[0] * target[1], target[2], 1, taps, source[2], 8, 8)
        computing = datapath_of(array).cycles(work, machine.sram)
        padded = -(-source[2] // 8) * 8  # a pixel's channels fill whole atoms
        loaded_bytes = source[0] * source[1] * padded + target[2] * taps * source[2]
        loading = loaded_bytes // NV_SMALL_BYTES_PER_CYCLE
        ours = computing + loading
        yield (
            f"| {name} | {published:,} | {computing:,} | {loading:,} | {ours:,} "
            f"| {error(ours, published)} |"
        )


def unpu() -> Iterator[str]:
    machine = load_accelerator(MACHINES / "unpu.yaml")
    datapath = datapath_of(machine.array)
    energy = EnergyModel(machine, load_energy_table(machine.energy_table))
    widest_pj = energy.energy_pj(Action("mac_array", "mac", 16, 16))
    for bits in (16, 8, 4, 2, 1):
        gops = 2 * float(datapath.peak_macs_per_cycle(bits, 16)) * machine.clock_mhz / 1e3
        published = UNPU_GOPS.get(bits)
        saved = widest_pj / energy.energy_pj(Action("mac_array", "mac", bits, 16))
        efficiency = UNPU_TOPS_PER_WATT.get(bits)
        compared = "– | –" if published is None else f"{published} | {error(gops, published)}"
        ratio = "–" if efficiency is None else f"{efficiency / UNPU_TOPS_PER_WATT[16]:.1f}"
        yield f"| {bits} | {gops:,.1f} | {compared} | {saved:.1f} | {ratio} |"


def implied() -> Iterator[str]:
    for chip in chips():
        macs = chip.macs_per_pixel * chip.image.pixels
        rate = macs * chip.frames_per_second
        needed = "–"
        if chip.clock_mhz is not None:
            needed = f"{rate / (chip.clock_mhz * 1e6) / (chip.utilization or 1):,.0f}"
        utilization = "unknown, 100 %" if chip.utilization is None else f"{chip.utilization:.0%}"
        yield (
            f"| {chip.name} | {macs / 1e9:.2f} ({chip.derivation}) | {chip.frames_per_second} | "
            f"{rate / 1e9:,.0f} | {utilization} | {needed} |"
        )


def predicted() -> Iterator[str]:
    """Frames at one scale from those at another, and a peak from multipliers and a clock."""
    for name, at_two, at_four in (("ACNPU", 31.7, 124.4), ("SRNPU", 31.8, 88.3)):
        # A network that works on the small image has a quarter of the pixels at x4.
        rows = f"| {name}, x4 from x2 by pixels | frames a second | {at_four} | {4 * at_two} "
        yield f"{rows}| {error(4 * at_two, at_four)} |"
    tops = 2 * 81920 * 250e6 / 1e12
    yield f"| eCNN, 81,920 multipliers at 250 MHz | TOPS | 41 | {tops:.2f} | {error(tops, 41)} |"


def efficiencies() -> Iterator[str]:
    """What follows from published efficiencies; powers that nobody published have no error."""
    pixels_per_second = 7680 * 4320 * 30
    mpixel_per_joule = pixels_per_second / 0.2075 / 1e6
    yield (
        f"| ESSR, 8K at 30 frames a second and 0.2075 W | Mpixel/J | 4797 | "
        f"{mpixel_per_joule:,.0f} | {error(mpixel_per_joule, 4797)} |"
    )
    parameters_per_pixel = 17e3
    for name, image, rate in (
        ("x2", Size(540, 960), 31.7),
        ("x4", Size(270, 480), 124.4),
    ):
        tops = 2 * parameters_per_pixel * image.pixels * rate / 1e12
        yield f"| ACNPU {name}, two operations a parameter and pixel | TOPS | – | {tops:.3f} | – |"
        yield f"| ACNPU {name}, these at 4.75 TOPS/W | mW | – | {1e3 * tops / 4.75:.0f} | – |"
    ratio = parameters_per_pixel / chips()[0].macs_per_pixel
    yield (
        "| ACNPU, products a pixel by parameters over those by FSRCNN | ratio | 1 | "
        f"{ratio:.2f} | {error(ratio, 1)} |"
    )
    chip = chips()[2]
    assert chip.clock_mhz is not None
    assert chip.utilization is not None
    # 2749 K gates hold no more units than this.
    study = load_datapath_factors("nangate45")
    most = 2749e3 / study.area_ge("output_stationary", 8, 8)
    rate = most * chip.clock_mhz * 1e6 * chip.utilization
    frames = rate / (chip.macs_per_pixel * chip.image.pixels)
    yield (
        "| ESSR, its gates all as 8 x 8 units, at 77 % | frames a second | 30 | "
        f"{frames:.1f} | {error(frames, 30)} |"
    )


SECTIONS = (
    (
        "Hexagon NPU of a QCS6490",
        "| network | parameters | GMAC | published, ms | line, ms | ours, ms | error "
        "| error, layers apart | cycles go to |",
        hexagon,
    ),
    (
        "NVDLA",
        "| multipliers | atoms C x K | buffer, KiB | DRAM, GB/s | published, 1/s | ours, 1/s "
        "| error | error, in cascades | cycles go to |",
        nvdla,
    ),
    (
        "NVDLA nv_small",
        "| trace | RTL, cycles | ours, computing | ours, loading before | ours | error |",
        nv_small,
    ),
    (
        "UNPU",
        "| weight bits | ours, GOPS | published | error | ours, energy of 16 bits over these "
        "| published, TOPS/W of these over 16 bits |",
        unpu,
    ),
    (
        "Super-resolution chips: what figures imply",
        "| chip | GMAC an image | frames a second | GMAC/s | utilization | multipliers needed |",
        implied,
    ),
    (
        "Super-resolution chips: one figure from another",
        "| what | unit | published | ours | error |",
        predicted,
    ),
    (
        "Super-resolution chips: efficiencies",
        "| what | unit | published | ours | error |",
        efficiencies,
    ),
)


def main() -> None:
    for title, header, rows in SECTIONS:
        print(f"## {title}\n")
        table(header, rows())


if __name__ == "__main__":
    main()
