"""The choice of a group's tiling: the best by an objective, then fewest steps, then least SRAM."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import lcm
from typing import Generic, TypeVar

from accelerators import Accelerator
from hwsim.schedule.footprint import Footprint
from hwsim.schedule.group_work import GroupWork
from hwsim.schedule.groups import Group, ScheduleError, is_reduction
from hwsim.schedule.layout import block_bytes, vector_bytes
from hwsim.schedule.objective import Aim, Figures, Rank
from hwsim.schedule.program import Tiling
from hwsim.schedule.storage import DramTensor, ceil_divide, round_up
from hwsim.schedule.traffic import strip_bytes, transfer_cycles
from hwsim.schedule.windows import Axis, input_axes, window_counts
from quant.graph import NearestResize, PixelShuffle, Size, TensorType


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
        """The pixel grid that tiles cut."""
        return self.group.grid

    @property
    def axes(self) -> tuple[Axis, Axis] | None:
        """How a windowed anchor reads its input, down and across."""
        if not self.group.is_windowed:
            return None
        anchor = self.group.anchor
        return input_axes(anchor.operator, self.sizes[anchor.inputs[0]])


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """The way a part of a graph is cut, and what it was chosen for.

    Attributes:
        cut: the way.
        rank: how good it is.
    """

    cut: T
    rank: Rank


class Tilings:
    """The tilings of a group that are tried.

    Args:
        problem: the group.
        work: of the group.
        aim: what is minimized.
    """

    def __init__(self, problem: Problem, work: GroupWork, aim: Aim) -> None:
        group, grid, accelerator = problem.group, problem.grid, problem.accelerator
        self._problem, self._work, self._aim = problem, work, aim
        self._least_cycles = significant(_least_cycles(grid, work))
        self._available = accelerator.sram.size_kib * 1024
        self._footprint = Footprint(group, problem.types, problem.sizes, accelerator)
        lasting = _lasting_bytes(problem)
        self._input_rows = {rows: _input_rows(problem, rows) for rows in _row_choices(grid.height)}
        # Of strips of each width: bytes but weights, and bytes of one row of a window's input.
        self._strip_bytes = {
            columns: (_tile_bytes(problem, columns) + lasting, _input_strip_bytes(problem, columns))
            for columns in _column_choices(grid.width)
        }

    def least(self) -> Choice[Tiling] | None:
        """The one with the smallest tiles, with a rank that none goes below; None if too large."""
        problem = self._problem
        channels = _channel_choices(problem)
        smallest = Tiling(1, 1, channels[-1])
        if self._footprint.size_bytes(smallest) > self._available:
            return None
        rows = min(self._input_rows.values())
        maps = min(features + rows * inputs for features, inputs in self._strip_bytes.values())
        traffic = maps + _weight_bytes(problem, channels[0])
        cycles = max(self._work.least_cycles(problem.grid.pixels))
        return Choice(smallest, self._aim.rank(Figures(traffic, significant(cycles))))

    def best(self) -> Choice[Tiling]:
        """The best one that fits SRAM.

        Raises:
            ScheduleError: not even the smallest tile fits.
        """
        problem, grid = self._problem, self._problem.grid
        best: tuple[tuple[Rank, int, int], Choice[Tiling]] | None = None
        for channels in _channel_choices(problem):
            weights = _weight_bytes(problem, channels)
            for columns, (features, inputs) in self._strip_bytes.items():
                loads = _loads(problem, Tiling(columns, grid.height, channels))
                least = features + min(self._input_rows.values()) * inputs + weights * loads
                if best is not None and self._least_rank(least) > best[1].rank:
                    continue
                for rows, input_rows in self._input_rows.items():
                    tiling = Tiling(columns, rows, channels)
                    size_bytes = self._footprint.size_bytes(tiling)
                    if size_bytes > self._available:
                        break
                    traffic = features + input_rows * inputs + weights * _loads(problem, tiling)
                    if best is not None and self._least_rank(traffic) > best[1].rank:
                        continue
                    rank, steps = self._rank(tiling, traffic)
                    if best is None or (rank, steps, size_bytes) < best[0]:
                        best = (rank, steps, size_bytes), Choice(tiling, rank)
        if best is None:
            raise self._too_small()
        return best[1]

    def _least_rank(self, traffic: int) -> Rank:
        """What no tiling goes below that moves so many bytes."""
        return self._aim.rank(Figures(traffic, self._least_cycles))

    def _rank(self, tiling: Tiling, traffic: int) -> tuple[Rank, int]:
        """How good a tiling is that moves so many bytes, and its steps."""
        aim, work = self._aim, self._work
        cycles, steps = _estimated_cycles(self._problem, work, tiling, traffic)
        picojoules = _array_pj(self._problem.grid, work, tiling, aim) if aim.counts_energy else 0.0
        return aim.rank(Figures(traffic, significant(cycles), picojoules)), steps

    def _too_small(self) -> ScheduleError:
        problem, grid = self._problem, self._problem.grid
        smallest = Tiling(1, 1, _channel_choices(problem)[-1])
        needed = ceil_divide(self._footprint.size_bytes(smallest), 1024)
        return ScheduleError(
            f"operator '{problem.group.anchor.name}': its smallest tile (1 pixel of {grid.height}×"
            f"{grid.width}) needs {needed} KiB of SRAM, accelerator "
            f"'{problem.accelerator.name}' has {problem.accelerator.sram.size_kib} KiB; "
            "enlarge sram.size_kib or use fewer bits or channels"
        )


def dram_traffic_bytes(problem: Problem, tiling: Tiling) -> int:
    """Bytes a group moves over the DRAM bus under a tiling; exact."""
    inputs = _input_rows(problem, tiling.rows) * _input_strip_bytes(problem, tiling.columns)
    features = _tile_bytes(problem, tiling.columns) + inputs
    weights = _weight_bytes(problem, tiling.channels) * _loads(problem, tiling)
    return features + _lasting_bytes(problem) + weights


def significant(cycles: int) -> int:
    """Cycles to eight significant bits: differences below the estimate's own error do not count."""
    drop = max(0, cycles.bit_length() - 8)
    return cycles >> drop << drop


def _estimated_cycles(
    problem: Problem, work: GroupWork, tiling: Tiling, traffic: int
) -> tuple[int, int]:
    """Cycles of a group under a tiling, for ranking, and its steps: the busiest unit and the ends.

    A ring of two steps lets step i+1 load only when step i−1 is computed, so a step also takes at
    least half of its computation, its transfers and the DRAM's latency together.
    """
    heights = _cuts(problem.grid.height, tiling.rows)
    widths = _cuts(problem.grid.width, tiling.columns)
    tiles = [(h * w, m * n) for h, m in heights for w, n in widths]
    steps = sum(count for _, count in tiles)
    array = sum(count * _array_cycles(work, tiling, pixels) for pixels, count in tiles)
    vector = sum(count * work.vector_cycles(pixels) for pixels, count in tiles)
    transfer = transfer_cycles(problem.accelerator, traffic)
    latency = steps * problem.accelerator.dram.latency_cycles
    ring = (max(array, vector) + transfer + latency) // 2
    ends = (array + vector + transfer + latency) // steps
    return max(array, vector, transfer, ring) + ends, steps


def _least_cycles(grid: Size, work: GroupWork) -> int:
    """Cycles no tiling of a group goes below: those of one tile as large as all of them."""
    if work.channels:
        return work.array_cycles(grid.pixels, work.channels)
    return work.vector_cycles(grid.pixels)


def _row_choices(height: int) -> list[int]:
    """Powers of two below the height, and the height; growing."""
    return [1 << power for power in range((height - 1).bit_length())] + [height]


def _column_choices(width: int) -> list[int]:
    """Widths of 1, 2, 3, 4, 6, 8, 12, … equal strips, the widest first."""
    counts = sorted({n << power for n in (1, 3) for power in range(width.bit_length())} | {width})
    return list(dict.fromkeys(ceil_divide(width, n) for n in counts if n <= width))


def _channel_choices(problem: Problem) -> list[int]:
    """Output channels of a weight block: all, then whole array widths, then less.

    A block starts on a byte of every output pixel, so it holds a multiple of eight channels; and
    it holds whole groups.
    """
    convolution = problem.group.convolution
    if convolution is None:
        return [1]
    columns = round_up(problem.accelerator.array.columns, 8)
    blocks = {columns << power for power in range(12)} | {columns, 8, 16, 32}
    if convolution.groups > 1:
        group_channels = convolution.out_channels // convolution.groups
        whole = lcm(8, group_channels)
        blocks |= {whole << power for power in range(12)}
        blocks = {block for block in blocks if block % group_channels == 0}
    smaller = sorted((block for block in blocks if block < convolution.out_channels), reverse=True)
    return [convolution.out_channels, *smaller]


@lru_cache(maxsize=4096)  # few sizes, cut in few ways, asked for by every tiling tried
def _cuts(total: int, piece: int) -> tuple[tuple[int, int], ...]:
    """Lengths of the pieces a length is cut into, the last one possibly shorter; with counts."""
    whole, rest = divmod(total, piece)
    return tuple((length, count) for length, count in ((piece, whole), (rest, 1)) if length * count)


def _tile_bytes(problem: Problem, columns: int) -> int:
    """Bytes that strips of so many columns move as operands and results of tiles."""
    widths = _cuts(problem.grid.width, columns)
    return problem.grid.height * sum(
        count * _step_bytes_per_row(problem, width) for width, count in widths
    )


def _input_strip_bytes(problem: Problem, columns: int) -> int:
    """Bytes of one row of a windowed anchor's input, over all strips of so many columns."""
    if (axes := problem.axes) is None:
        return 0
    tensor = problem.tensors[problem.group.anchor.inputs[0]]
    burst, width = problem.accelerator.dram.burst_bytes, problem.grid.width
    return sum(
        count * strip_bytes(tensor, read, burst)
        for read, count in window_counts(axes[1], width, columns)
    )


def _input_rows(problem: Problem, rows: int) -> int:
    """Rows of a windowed anchor's input that a strip in steps of so many rows loads."""
    axes = problem.axes
    return 0 if axes is None else axes[0].loaded(problem.grid.height, rows)


def _lasting_bytes(problem: Problem) -> int:
    """Bytes moved once: single pixels, statistics, constants of the vector unit."""
    burst, group = problem.accelerator.dram.burst_bytes, problem.group
    pixels = [*group.pixels, *(node.name for node in group.stored if is_reduction(node))]
    singles = sum(strip_bytes(problem.tensors[name], 1, burst) for name in pixels)
    return vector_bytes(group, burst) + singles


def _weight_bytes(problem: Problem, block_channels: int) -> int:
    """Bytes of weights and parameters in blocks of so many channels, all of them loaded once."""
    convolution, burst = problem.group.convolution, problem.accelerator.dram.burst_bytes
    if convolution is None:
        return 0
    return sum(
        count * block_bytes(convolution, channels, burst)
        for channels, count in _cuts(convolution.out_channels, block_channels)
    )


def _loads(problem: Problem, tiling: Tiling) -> int:
    """How often weights are loaded: once when they stay, else at every step."""
    convolution, grid = problem.group.convolution, problem.grid
    if convolution is None or tiling.channels >= convolution.out_channels:
        return 1
    return ceil_divide(grid.height, tiling.rows) * ceil_divide(grid.width, tiling.columns)


def _step_bytes_per_row(problem: Problem, columns: int) -> int:
    """DRAM bytes per row of the grid that a strip loads as operands and stores as results."""
    burst = problem.accelerator.dram.burst_bytes
    loaded = sum(
        strip_bytes(problem.tensors[name], columns, burst) for name in problem.group.streamed
    )
    stored = 0
    for node in problem.group.stored:
        if is_reduction(node):
            continue
        operator = node.operator
        factor = operator.factor if isinstance(operator, PixelShuffle | NearestResize) else 1
        stored += factor * strip_bytes(problem.tensors[node.name], factor * columns, burst)
    return loaded + stored


def _array_cycles(work: GroupWork, tiling: Tiling, pixels: int) -> int:
    return sum(
        count * work.array_cycles(pixels, channels)
        for channels, count in _cuts(work.channels, tiling.channels)
    )


def _array_pj(grid: Size, work: GroupWork, tiling: Tiling, aim: Aim) -> float:
    """Energy of a group's multiplications and what they read, in picojoules."""
    heights = _cuts(grid.height, tiling.rows)
    widths = _cuts(grid.width, tiling.columns)
    blocks = _cuts(work.channels, tiling.channels)
    return sum(
        m * n * count * aim.array_pj(of_tile)
        for h, m in heights
        for w, n in widths
        for channels, count in blocks
        if (of_tile := work.array(h * w, channels)) is not None
    )
