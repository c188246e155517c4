"""Checks programs by running them: the machine's integers against the graph layer by layer."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.machine import (
    KERNELS,
    Arithmetic,
    MachineError,
    execute,
    execute_layerwise,
    run_layerwise,
)
from hwsim.machine.accumulators import LayerOverflows
from hwsim.schedule import Program, ProgramError, ScheduleError, schedule
from hwsim.schedule.accumulators import as_computed_by
from hwsim.schedule.commands import Command
from hwsim.verify.checks import Check, Place, Progress, Tally
from hwsim.verify.first_wrong_node import compared_node, first_wrong_node
from hwsim.verify.random_graphs import random_graph
from hwsim.verify.random_operators import random_codes, random_size
from quant.graph import Graph, Size

GRAPHS = 25
"""Random graphs executed on each accelerator."""

MAXIMUM_SIDE = 24


def verify_schedules(
    accelerators: Sequence[Accelerator],
    seed: int = 0,
    graphs: int = GRAPHS,
    progress: Progress | None = None,
) -> list[Check]:
    """Run random small graphs on each accelerator and compare with the layer-by-layer kernels.

    A graph that an accelerator has no room for is not counted as a case.

    Args:
        accelerators: the machines.
        seed: of the random graphs and images; the same seed gives the same cases.
        graphs: random graphs for each machine.
        progress: called with graphs done and graphs in all.
    """
    checks = []
    for position, accelerator in enumerate(accelerators):
        tally = Tally("schedules of random graphs", KERNELS.name, accelerator.name)
        for index in range(graphs):
            # Machines get the same graphs, but convolutions with tap offsets declare no
            # accumulators, which those need whose sums may overflow.
            random = np.random.default_rng((seed, index))
            has_tap_offsets = accelerator.array.accumulator.overflow == "error"
            drawn = random_graph(random, has_tap_offsets=has_tap_offsets)
            graph = as_computed_by(drawn, accelerator)
            size = random_size(random, 1, MAXIMUM_SIDE)
            image = random_codes(random, size, graph.input.output)
            _try(tally, f"random graph {index} of seed {seed}", graph, image, accelerator)
            if progress is not None:
                progress(position * graphs + index + 1, len(accelerators) * graphs)
        checks.append(tally.close())
    return checks


def verify_graph(
    graph: Graph,
    accelerator: Accelerator,
    image: NDArray[np.int32],
    arithmetic: Arithmetic = KERNELS,
) -> Check:
    """Schedule a graph, run it on an image and compare with the graph layer by layer.

    Args:
        graph: a verified graph.
        accelerator: the machine.
        image: int32 [height, width, channels], codes of the input tensor.
        arithmetic: what computes the oracle.

    Raises:
        ScheduleError: the accelerator has no room for the graph.
    """
    program = schedule(graph, accelerator, Size(*image.shape[:2]))
    return verify_program_output(program, graph, accelerator, image, arithmetic)


def verify_program_output(
    program: Program,
    graph: Graph,
    accelerator: Accelerator,
    image: NDArray[np.int32],
    arithmetic: Arithmetic = KERNELS,
) -> Check:
    """Run a program and compare its output with the graph it was made from, layer by layer.

    A machine that refuses to go on, because a command reads what was never written or what makes
    no sense to its unit, counts as one case of which every integer differs.
    """
    tally = Tally(graph.name, arithmetic.name, accelerator.name)
    _run(tally, graph.name, program, graph, accelerator, image, arithmetic)
    return tally.close()


def verify_arithmetic(
    graph: Graph, image: NDArray[np.int32], candidate: Arithmetic, oracle: Arithmetic
) -> Check:
    """Compute a graph layer by layer with two arithmetics and compare the outputs."""
    tally = Tally(graph.name, oracle.name, candidate.name)
    found, expected = (run_layerwise(graph, image, each) for each in (candidate, oracle))
    mismatches = int(np.count_nonzero(found != expected))
    place = None
    if mismatches:
        place = first_wrong_node(
            graph, image, oracle, lambda shortened: run_layerwise(shortened, image, candidate)
        )
    tally.add(expected.size, mismatches, place)
    return tally.close()


def _try(
    tally: Tally, where: str, graph: Graph, image: NDArray[np.int32], accelerator: Accelerator
) -> None:
    try:
        program = schedule(graph, accelerator, Size(*image.shape[:2]))
    except ScheduleError:
        return
    except ProgramError as error:
        outputs = run_layerwise(graph, image, KERNELS).size
        tally.add(outputs, outputs, Place(f"{where}: {error}"))
        return
    _run(tally, where, program, graph, accelerator, image, KERNELS)


def _run(
    tally: Tally,
    where: str,
    program: Program,
    graph: Graph,
    accelerator: Accelerator,
    image: NDArray[np.int32],
    arithmetic: Arithmetic,
) -> None:
    layerwise = execute_layerwise(graph, image, arithmetic)
    expected = layerwise.output
    try:
        execution = execute(program, accelerator, image)
    except (MachineError, ValueError) as error:  # memory never written, or no operand at all
        tally.add(expected.size, expected.size, Place(f"{where}: {error}"))
        return
    mismatches = int(np.count_nonzero(execution.output != expected))
    if not mismatches and not _same_overflows(execution.overflows, layerwise.overflows):
        tally.add(expected.size, 1, Place(f"{where}: other sums overflowed than layer by layer"))
        return
    place = None
    if mismatches and tally.first is None:
        found_at = _locate(program, graph, accelerator, image, arithmetic)
        place = replace(found_at, sentence=f"{where}: {found_at.sentence}")
    tally.add(expected.size, mismatches, place)


def _locate(
    program: Program,
    graph: Graph,
    accelerator: Accelerator,
    image: NDArray[np.int32],
    arithmetic: Arithmetic,
) -> Place:
    """The first feature map that leaves SRAM wrong, with the place of its first wrong integer.

    Tensors in DRAM make room for later ones, so each is read back from a run of the program that
    stops behind the group that stores it.
    """
    for index, group in enumerate(program.groups):
        for name in group.nodes:
            if name not in program.tensors:
                continue
            shortened = replace(
                program, commands=_until(program, index), output=program.tensors[name]
            )
            found = execute(shortened, accelerator, image).output
            place = compared_node(
                graph, name, image, arithmetic, found, f"node '{name}' (group '{group.name}')"
            )
            if place is not None:
                return place
    raise AssertionError("the output differs, so some stored feature map does")


def _until(program: Program, group: int) -> tuple[Command, ...]:
    """The commands up to and including a group's."""
    return tuple(command for command in program.commands if command.group <= group)


def _same_overflows(machine: Sequence[LayerOverflows], layerwise: Sequence[LayerOverflows]) -> bool:
    """Whether the same sums overflowed; those that strips compute again count again."""
    by_layer = {layer.operator: layer for layer in layerwise}
    return {layer.operator for layer in machine} == set(by_layer) and all(
        _same_layer(layer, by_layer[layer.operator]) for layer in machine
    )


def _same_layer(machine: LayerOverflows, layerwise: LayerOverflows) -> bool:
    if machine.outputs <= layerwise.outputs:
        return machine == layerwise
    found, wanted = machine.overflows, layerwise.overflows
    again = machine.outputs - layerwise.outputs
    return (found.first, found.sum) == (
        wanted.first,
        wanted.sum,
    ) and wanted.count <= found.count <= wanted.count + again
