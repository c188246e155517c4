"""Methods, networks, bits and machines in one table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from accelerators import Accelerator
from hwsim.api.machines import Machine, Table, energy_model
from hwsim.api.networks import FloatNetwork, encoded, float_network
from hwsim.compare import (
    Cell,
    CompareRequest,
    CompareResult,
    NetworkEntry,
    read_picture_set,
    sweep,
)
from hwsim.report.comparison import by_network, columns, notes, title
from hwsim.report.html import lines_html, table_html
from quant.common.requantization_modes import mode_named
from quant.graph import Size
from quant.graph.adaptive_file import AnyGraph
from quant.methods import Encoder
from quant.networks import network_names
from quant.networks.registry import shipped_weights
from quant.policy import BitPolicy

_SEED = 0
"""Of the weights of a network that has none: they cost what others cost."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A table: one row for each network, method, bits and machine.

    Attributes:
        found: all of it.
    """

    found: CompareResult

    @property
    def rows(self) -> tuple[Cell, ...]:
        """The rows; `Cell.error` says why one could not be done."""
        return self.found.cells

    def to_json(self) -> dict[str, Any]:
        """The table as plain values, as ``hwsim compare --json`` prints it."""
        return self.found.to_json()

    def _repr_html_(self) -> str:
        shown = columns(self.found)
        parts = []
        for network, cells in by_network(self.found):
            rows = [[text(cell) for text in shown.values()] for cell in cells]
            parts.append(lines_html([title(self.found, network, cells)], strong=True))
            parts.append(table_html([*shown], rows, words=3))
        return "".join(parts) + lines_html([*notes(self.found)])


def compare(
    networks: str | Sequence[str],
    accelerators: Machine | Sequence[Machine] = "edge_npu",
    *,
    methods: str | Sequence[str] = "minmax",
    bits: str | Sequence[str] = "w8a8",
    data: Sequence[str | Path] = (),
    input_size: tuple[int, int] = (180, 320),
    energy_table: Table | None = None,
    rounding: str | None = None,
) -> Comparison:
    """Compare every combination of networks, methods, bits and machines.

    Args:
        networks: one or several of ``names("networks")``, or ``.onnx`` or ``.pt2`` files.
        accelerators: one or several machines.
        methods: one or several of ``names("methods")``, with their options.
        bits: one or several of ``w4a8`` and the like, policies' names or files.
        data: folders of data sets that quality is judged on; without any, costs alone.
        input_size: height and width of the input image that costs are counted for.
        energy_table: prices; without it, each machine's own.
        rounding: a name of ``names("roundings")``; without it, each machine's own.

    Raises:
        UserError: there is no such name or folder, or no row can be done.
    """
    from quant.methods import method_named

    entries = tuple(_entry(name) for name in _several(networks))
    folders = [Path(folder) for folder in data]
    machines: Sequence[Machine] = (
        [accelerators] if isinstance(accelerators, str | Path | Accelerator) else accelerators
    )
    request = CompareRequest(
        entries,
        tuple(str(method_named(name)) for name in _several(methods)),
        {text: BitPolicy.load(text) for text in _several(bits)},
        machines=tuple(energy_model(machine, energy_table) for machine in machines),
        pictures={
            scale: read_picture_set(folders, scale)
            for scale in sorted({entry.scale for entry in entries})
            if folders
        },
        size=Size(*input_size),
        rounding=None if rounding is None else mode_named(rounding).name,
    )
    return Comparison(sweep(request))


def _entry(name: str) -> NetworkEntry:
    """A network by name or in a file, with random weights where it has none: they cost the same."""
    is_file = name not in network_names()
    trained = is_file or shipped_weights(name) is not None
    source = float_network(name) if trained else float_network(name, random_weights=_SEED)
    return NetworkEntry(
        name=source.name,
        scale=source.scale,
        weights="of the file" if is_file else "shipped" if trained else "random",
        identity=name,
        trained=trained,
        enlarge=source.picture,
        quantize=_quantizer(source),
    )


def _quantizer(source: FloatNetwork) -> Callable[[str, BitPolicy, str], AnyGraph]:
    """From a method, a policy and a rounding to integers; a method is calibrated once."""

    @lru_cache(maxsize=4)  # rows follow one another by method, but machines may round differently
    def encoder(method: str, rounding: str) -> Encoder:
        return encoded(source, None, method=method, rounding=rounding)

    return lambda method, policy, rounding: encoder(method, rounding)(policy).graph()


def _several(given: str | Sequence[str]) -> list[str]:
    """One name or several, as a list."""
    return [given] if isinstance(given, str) else [*given]
