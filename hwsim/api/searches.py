"""Bits of each layer that give the best quality for their cost."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.api.machines import Machine, Table, energy_model
from hwsim.api.networks import FloatNetwork, Quantization, encoded, float_network, read_pictures
from hwsim.executors import WorkerProcesses
from hwsim.report.html import lines_html, png_html, table_html, text_html
from hwsim.report.search import POINT_COLUMNS, point_rows, proof, trust
from hwsim.schedule.accumulators import all_as_computed
from hwsim.search import (
    LayerRules,
    Limits,
    Pictures,
    Point,
    Resource,
    SearchRequest,
    SearchResult,
    Target,
    cycles_within,
    front_png,
)
from hwsim.search import search as search_policies
from hwsim.torch_threads import one_thread_of_torch
from quant.graph import Size
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import photograph_parts
from quant.methods import Encoder
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from hwsim.api.networks import FloatSource

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What a search found.

    Attributes:
        found: all of it.
    """

    found: SearchResult

    @property
    def recommended(self) -> Point:
        """The best measured policy within the limits.

        Raises:
            NoPolicyError: no measured policy keeps to them.
        """
        return self.found.recommended()

    @property
    def policy(self) -> BitPolicy:
        """The recommended policy: to be given as ``bits``.

        Raises:
            NoPolicyError: no measured policy keeps to the limits.
        """
        return self.recommended.policy

    @property
    def points(self) -> tuple[Point, ...]:
        """Every policy that was measured."""
        return self.found.points

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, as ``hwsim search --json`` prints it."""
        return self.found.to_json()

    def _repr_html_(self) -> str:
        found, size = self.found, self.found.request.image_size
        title = f"bit policies on {found.accelerator}, {size.height}×{size.width} pixels"
        rows = point_rows(found, self.recommended)
        notes = [*([proof(found)] if found.request.limits else []), trust(found)]
        return (
            lines_html([title], strong=True)
            + table_html(POINT_COLUMNS, rows, words=2)
            + png_html(front_png(found), "fidelity against cost of the policies")
            + lines_html([*notes, f"recommended: {self.recommended.label}, as a policy file:"])
            + text_html(self.policy.to_yaml())
        )


def search(
    network: "FloatSource",
    accelerator: Machine = "edge_npu",
    *,
    input_size: tuple[int, int],
    widths: Sequence[int] = (2, 3, 4, 6, 8),
    minimize: str | None = None,
    against: str | None = None,
    min_psnr_db: float | None = None,
    max_energy_uj: float | None = None,
    max_latency_ms: float | None = None,
    max_dram_bytes: int | None = None,
    max_sram_bytes: int | None = None,
    front_points: int = 10,
    refine: int = 0,
    rules: LayerRules | None = None,
    pictures: str | Path | Sequence[Pixels] | None = None,
    energy_table: Table | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    **quantization: Unpack[Quantization],
) -> Search:
    """Find bit policies with the most fidelity to the float network for their cost.

    Args:
        network: what `quantize` takes.
        accelerator: the machine.
        input_size: height and width of the input image that costs are counted for.
        widths: that a layer may have.
        minimize: ``energy``, ``latency``, ``dram`` or ``sram``, together with ``min_psnr_db``;
            without it, the error, or with ``min_psnr_db`` the energy.
        against: what the front trades fidelity against; without it, what is minimized or limited.
        min_psnr_db: least fidelity to the float network.
        max_energy_uj: most energy of an image.
        max_latency_ms: most time of an image, launch overhead included.
        max_dram_bytes: most bytes over the DRAM bus.
        max_sram_bytes: most SRAM in use.
        front_points: policies of the predicted front that are measured.
        refine: policies near the best that are measured too, at most.
        rules: what single layers may have.
        pictures: low-resolution pictures to judge fidelity on, or a folder of them; without them,
            parts of photographs that come along.
        energy_table: prices; without it, the machine's own.
        out: a folder in which what was measured is kept, and found again.
        workers: processes that measure; 1 is this one alone.
        quantization: see `Quantization`, without ``bits``.

    Raises:
        NoPolicyError: the machine has room for none of what may be chosen.
        ScheduleError: the machine has no room for the network at 8 bits.
        UserError: what is asked makes no sense.
    """
    energy = energy_model(accelerator, energy_table)
    machine = energy.accelerator
    max_cycles = None
    if max_latency_ms is not None:
        max_cycles = cycles_within(machine, Fraction(str(max_latency_ms)) / 1000)
    if minimize is None and min_psnr_db is not None:
        minimize = "energy"
    request = SearchRequest(
        Size(*input_size),
        tuple(widths),
        minimize=None if minimize in (None, "error") else Resource(minimize),
        against=None if against is None else Resource(against),
        front_points=front_points,
        limits=Limits(max_energy_uj, max_cycles, min_psnr_db, max_dram_bytes, max_sram_bytes),
        rules=rules or LayerRules(),
        local_search_evaluations=refine,
    )
    source = float_network(network, **quantization)
    build = _Graphs(encoded(source, machine, **quantization), machine)
    target = Target(machine, energy, request.image_size)
    kept = None if out is None else Path(out)
    with ExitStack() as stack:
        executor = None if workers == 1 else stack.enter_context(WorkerProcesses(workers))
        stack.enter_context(one_thread_of_torch())
        judged_on = _pictures(source, pictures)
        found = search_policies(request, build, judged_on, target, kept, None, executor)
    return Search(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Graphs:
    """Graphs as a machine computes them, of any policy; can be sent to other processes."""

    encode: Encoder
    machine: Accelerator

    def __call__(self, policy: BitPolicy) -> AnyGraph:
        return all_as_computed(self.encode(policy).graph(), self.machine)


def _pictures(source: FloatNetwork, given: str | Path | Sequence[Pixels] | None) -> Pictures:
    if given is None:
        images: Sequence[Pixels] = photograph_parts()
    else:
        images = read_pictures(given) if isinstance(given, str | Path) else given
    return Pictures(
        [image.astype(np.int32) for image in images],
        [source.enlarge(image) for image in images],
    )
