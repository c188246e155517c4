"""Hypothesis strategies: accelerators of every shape, and memories just large enough."""

from hypothesis import strategies as st

from accelerators import Accelerator, load_accelerator, resized
from accelerators.datapaths.kinds import datapath_of
from accelerators.schema import Array
from hwsim.schedule import Program, ScheduleError, schedule
from quant.graph import Graph, Size

_TINY = load_accelerator("tiny_npu")


@st.composite
def random_accelerators(draw: st.DrawFn, dataflow: str = "output_stationary") -> Accelerator:
    """Arrays of 4 to 32, memories from 2 KiB up, every word, burst, latency and bandwidth."""
    rows, columns = draw(st.integers(4, 32)), draw(st.integers(4, 32))
    word_bits = draw(st.sampled_from((8, 16, 64, 128, 256)))
    weight_bits, activation_bits = (draw(st.sampled_from((8, 4, 16))) for _ in range(2))
    array = {
        **_TINY.array.model_dump(),
        "rows": rows,
        "columns": columns,
        "dataflow": dataflow,
        "weight_bits": weight_bits,
        "activation_bits": activation_bits,
        "accumulator_bits": 64,
    }
    consumed_bits = datapath_of(Array.model_validate(array)).feed_bits_per_cycle
    changes = {
        "name": "random",
        "array": array,
        "vector_unit": {"lanes": draw(st.integers(1, 40))},
        "sram": {
            "size_kib": draw(st.sampled_from((2, 3, 4, 8, 16, 64, 512))),
            "word_bits": word_bits,
            "banks": -(-consumed_bits // word_bits),
        },
        "dram": {
            "burst_bytes": draw(st.sampled_from((32, 8, 64, 1))),
            "latency_cycles": draw(st.integers(0, 200)),
            "bandwidth_gb_per_s": draw(st.sampled_from((3.2, 12.8, 0.7))),
        },
    }
    data = _TINY.model_dump()
    for part, change in changes.items():
        data[part] = {**data[part], **change} if isinstance(change, dict) else change
    return Accelerator.model_validate(data)


def scheduled(graph: Graph, accelerator: Accelerator, image: Size) -> tuple[Program, Accelerator]:
    """A program for the accelerator, its memory doubled until the graph fits."""
    while True:
        try:
            return schedule(graph, accelerator, image), accelerator
        except ScheduleError:
            accelerator = resized(accelerator, sram_kib=2 * accelerator.sram.size_kib)


sides = st.integers(1, 24)
"""Heights and widths of images."""
