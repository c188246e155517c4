"""The choice of a group's tiling: least DRAM traffic, then fewest cycles, then fewest steps.

Traffic first, because a byte from DRAM costs about as much energy as a hundred multiplications,
and because the least traffic of a group can only fall when its tensors get narrower.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from accelerators import Accelerator
from accelerators.datapaths.output_stationary import convolution_cycles
from accelerators.vector_unit import elementwise_cycles
from hwsim.schedule.groups import Group, ScheduleError
from hwsim.schedule.layout import allocate, weight_bytes
from hwsim.schedule.program import Tiling
from hwsim.schedule.storage import PARAMETER_BYTES, DramTensor, ceil_divide, round_up
from hwsim.schedule.traffic import strip_bytes, transfer_cycles
from quant.graph import PixelShuffle, Size, TensorType


@dataclass(frozen=True, slots=True)
class Problem:
    """A group and all that a tiling of it depends on.

    Attributes:
        group: the operators.
        types: tensor types by node name.
        sizes: heights and widths by node name.
        tensors: the tensors that visit DRAM.
        accelerator: the machine.
    """

    group: Group
    types: Mapping[str, TensorType]
    sizes: Mapping[str, Size]
    tensors: Mapping[str, DramTensor]
    accelerator: Accelerator

    @property
    def grid(self) -> Size:
        """The pixel grid that tiles cut: the anchor's output, or what a lone shuffle reads."""
        anchor = self.group.anchor
        lone_shuffle = isinstance(anchor.operator, PixelShuffle)
        return self.sizes[anchor.inputs[0] if lone_shuffle else anchor.name]


def choose_tiling(problem: Problem) -> Tiling:
    """The best tiling of a group that fits SRAM.

    Raises:
        ScheduleError: not even the smallest tile fits.
    """
    available = problem.accelerator.sram.size_kib * 1024
    best: tuple[tuple[int, int, int, int], Tiling] | None = None
    for channels in _channel_choices(problem):
        for columns in _column_choices(problem.grid.width):
            features = feature_bytes(problem, columns)
            for rows in _row_choices(problem.grid.height):
                tiling = Tiling(columns, rows, channels)
                size_bytes = _sram_bytes(problem, tiling)
                if size_bytes > available:
                    break
                traffic = features + constant_bytes(problem, tiling)
                if best is not None and traffic > best[0][0]:
                    continue
                cycles, steps = _estimated_cycles(problem, tiling, traffic)
                rank = (traffic, _significant(cycles), steps, size_bytes)
                if best is None or rank < best[0]:
                    best = rank, tiling
    if best is None:
        raise _too_small(problem)
    return best[1]


def _sram_bytes(problem: Problem, tiling: Tiling) -> int:
    return allocate(
        problem.group, tiling, problem.types, problem.sizes, problem.accelerator
    ).size_bytes


def _significant(cycles: int) -> int:
    """Cycles to eight significant bits: differences below the estimate's own error do not count."""
    drop = max(0, cycles.bit_length() - 8)
    return cycles >> drop << drop


def _estimated_cycles(problem: Problem, tiling: Tiling, traffic: int) -> tuple[int, int]:
    """Cycles of a group under a tiling, for ranking, and its steps: the busiest unit and the ends.

    A ring of two steps lets step i+1 load only when step i−1 is computed, so a step also takes at
    least half of its computation, its transfers and the DRAM's latency together.
    """
    heights = _cuts(problem.grid.height, tiling.rows)
    widths = _cuts(problem.grid.width, tiling.columns)
    tiles = [(h * w, m * n) for h, m in heights.items() for w, n in widths.items()]
    steps = sum(count for _, count in tiles)
    array = sum(count * _array_cycles(problem, tiling, pixels) for pixels, count in tiles)
    vector = sum(count * _vector_cycles(problem, pixels) for pixels, count in tiles)
    transfer = transfer_cycles(problem.accelerator, traffic)
    latency = steps * problem.accelerator.dram.latency_cycles
    ring = (max(array, vector) + transfer + latency) // 2
    ends = (array + vector + transfer + latency) // steps
    return max(array, vector, transfer, ring) + ends, steps


def _row_choices(height: int) -> list[int]:
    """Powers of two below the height, and the height; growing."""
    return [1 << power for power in range((height - 1).bit_length())] + [height]


def _column_choices(width: int) -> list[int]:
    """Widths of 1, 2, 3, 4, 6, 8, 12, … equal strips, the widest first."""
    counts = sorted({n << power for n in (1, 3) for power in range(width.bit_length())} | {width})
    return list(dict.fromkeys(ceil_divide(width, n) for n in counts if n <= width))


def _channel_choices(problem: Problem) -> list[int]:
    """Output channels of a weight block: all, then whole array widths, then less.

    A block starts on a byte of every output pixel, so it holds a multiple of eight channels.
    """
    convolution = problem.group.convolution
    if convolution is None:
        return [1]
    columns = round_up(problem.accelerator.array.columns, 8)
    blocks = {columns << power for power in range(12)} | {columns, 8, 16, 32}
    smaller = sorted((block for block in blocks if block < convolution.out_channels), reverse=True)
    return [convolution.out_channels, *smaller]


def _cuts(total: int, piece: int) -> Counter[int]:
    """Lengths of the pieces a length is cut into, the last one possibly shorter; with counts."""
    whole, rest = divmod(total, piece)
    return Counter({piece: whole}) + Counter({rest: 1} if rest else {})


def _input_spans(problem: Problem, columns: int, kernel_width: int) -> Iterator[tuple[int, int]]:
    """First and last-plus-one input column of each strip."""
    convolution = problem.group.convolution
    assert convolution is not None
    ifm_width = problem.sizes[problem.group.anchor.inputs[0]].width
    for start in range(0, problem.grid.width, columns):
        stop = min(start + columns, problem.grid.width)
        left = start - convolution.padding.left
        yield max(0, left), min(ifm_width, stop - convolution.padding.left + kernel_width - 1)


def feature_bytes(problem: Problem, columns: int) -> int:
    """DRAM bytes of feature maps a group moves in strips of that many columns; exact."""
    widths = _cuts(problem.grid.width, columns)
    total = problem.grid.height * sum(
        count * _step_bytes_per_row(problem, width) for width, count in widths.items()
    )
    if (convolution := problem.group.convolution) is not None:
        tensor = problem.tensors[problem.group.anchor.inputs[0]]
        burst = problem.accelerator.dram.burst_bytes
        for first, last in _input_spans(problem, columns, convolution.kernel[1]):
            total += tensor.size.height * strip_bytes(tensor, last - first, burst)
    return total


def constant_bytes(problem: Problem, tiling: Tiling) -> int:
    """DRAM bytes of constants moved: loaded once when they stay, else at every step."""
    convolution = problem.group.convolution
    if convolution is None:
        return 0
    burst = problem.accelerator.dram.burst_bytes
    once = sum(
        count
        * (
            round_up(weight_bytes(convolution, channels), burst)
            + round_up(channels * PARAMETER_BYTES, burst)
        )
        for channels, count in _cuts(convolution.out_channels, tiling.channels).items()
    )
    if tiling.channels >= convolution.out_channels:
        return once
    grid = problem.grid
    return once * ceil_divide(grid.height, tiling.rows) * ceil_divide(grid.width, tiling.columns)


def _step_bytes_per_row(problem: Problem, columns: int) -> int:
    """DRAM bytes per row of the grid that a strip loads as operands and stores as results."""
    burst = problem.accelerator.dram.burst_bytes
    loaded = sum(
        strip_bytes(problem.tensors[name], columns, burst) for name in problem.group.loaded
    )
    stored = 0
    for node in problem.group.stored:
        factor = node.operator.factor if isinstance(node.operator, PixelShuffle) else 1
        stored += factor * strip_bytes(problem.tensors[node.name], factor * columns, burst)
    return loaded + stored


def _array_cycles(problem: Problem, tiling: Tiling, pixels: int) -> int:
    convolution = problem.group.convolution
    if convolution is None:
        return 0
    activation_bits = problem.types[problem.group.anchor.inputs[0]].integer.bits
    return sum(
        count
        * convolution_cycles(
            problem.accelerator.array,
            pixels,
            channels,
            convolution.weight[0].size,
            convolution.weight_type.bits,
            activation_bits,
        )
        for channels, count in _cuts(convolution.out_channels, tiling.channels).items()
    )


def _vector_cycles(problem: Problem, pixels: int) -> int:
    return sum(
        elementwise_cycles(problem.accelerator.vector_unit.lanes, pixels * node.output.channels)
        for node in problem.group.nodes
        if node.operator.kind in ("add", "requantize")
    )


def _too_small(problem: Problem) -> ScheduleError:
    grid = problem.grid
    smallest = Tiling(1, 1, _channel_choices(problem)[-1])
    needed = _sram_bytes(problem, smallest)
    return ScheduleError(
        f"operator '{problem.group.anchor.name}': its smallest tile (1 pixel of {grid.height}×"
        f"{grid.width}) needs {ceil_divide(needed, 1024)} KiB of SRAM, accelerator "
        f"'{problem.accelerator.name}' has {problem.accelerator.sram.size_kib} KiB; "
        "enlarge sram.size_kib or use fewer bits or channels"
    )
