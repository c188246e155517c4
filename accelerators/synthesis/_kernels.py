"""Gates on words of 64 streams, and their toggles without delays and with those of each gate.

Everything is in this one file because Numba renews its stored machine code when a function's own
file changes, not when that of a function it calls does.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Counts = NDArray[np.int64]
Indices = NDArray[np.int32]
Function = TypeVar("Function", bound=Callable[..., Any])

STREAMS = 64
"""Streams in a word."""

SLOTS = 64
"""Steps of time that changes are kept for; delays are shorter."""


def _kernel(function: Function) -> Function:
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


def _inlined(function: Function) -> Function:
    return cast(
        Function, njit(cache=True, nogil=True, error_model="numpy", inline="always")(function)
    )


class Circuit(NamedTuple):
    """A netlist as the kernel wants it; see `accelerators.synthesis.netlist`.

    Drivers of nets are the gates, then the flip-flops, then the inputs.

    Attributes:
        driven: net of each driver, [drivers].
        delay: of each driver's fall and rise, 1 or more and less than `SLOTS`, [drivers, 2].
        gate_inputs: nets read, gate by gate.
        gate_first: where those of each gate begin, [gates + 1].
        gate_truth: truth tables, [gates].
        readers: gates that read each net, net by net.
        first_reader: where those of each net begin, [nets + 1].
        flop_data: net taken over by each flip-flop.
        flop_inverts: all ones where it drives the inverted state, else 0, a word each.
        outputs: nets to be recorded.
    """

    driven: Indices
    delay: Indices
    gate_inputs: Indices
    gate_first: Indices
    gate_truth: Words
    readers: Indices
    first_reader: Indices
    flop_data: Indices
    flop_inverts: Words
    outputs: Indices


class _State(NamedTuple):
    """A circuit at a point of time.

    Attributes:
        values: of nets.
        target: what each driver will have driven once all its changes have happened.
        pending: streams in which a driver's change is yet to happen.
        changes: streams in which each driver changes its net, by time modulo `SLOTS`.
        due: drivers with changes, by time modulo `SLOTS`, [slots, drivers].
        due_count: how many.
        waiting: gates that read something that changed.
        is_waiting: whether a gate is among them.
        scratch: for evaluating a gate.
    """

    values: Words
    target: Words
    pending: Words
    changes: Words
    due: Indices
    due_count: Indices
    waiting: Indices
    is_waiting: NDArray[np.bool_]
    scratch: Words


@_inlined
def _ones(word: np.uint64) -> int:
    """Bits that are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int(np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56)))


@_inlined
def _evaluated(circuit: Circuit, gate: int, values: Words, scratch: Words) -> np.uint64:
    """A gate's output: its truth table's rows, halved by one input after the other."""
    first, behind = circuit.gate_first[gate], circuit.gate_first[gate + 1]
    rows = 1 << (behind - first)
    truth = circuit.gate_truth[gate]
    for row in range(rows):
        is_set = (truth >> np.uint64(row)) & np.uint64(1)
        scratch[row] = ~np.uint64(0) if is_set else np.uint64(0)
    for place in range(first, behind):
        chosen = values[circuit.gate_inputs[place]]
        rows >>= 1
        for row in range(rows):
            low, high = scratch[2 * row], scratch[2 * row + 1]
            scratch[row] = low ^ ((low ^ high) & chosen)
    result: np.uint64 = scratch[0]
    return result


@_kernel
def _first_state(circuit: Circuit, nets: int) -> _State:
    """All flip-flops and inputs at 0, gates settled."""
    drivers, gates = len(circuit.driven), len(circuit.gate_truth)
    state = _State(
        np.zeros(nets, np.uint64),
        np.zeros(drivers, np.uint64),
        np.zeros(drivers, np.uint64),
        np.zeros((drivers, SLOTS), np.uint64),
        np.zeros((SLOTS, 2 * drivers), np.int32),  # twice, as a rise withdrawn and a fall
        np.zeros(SLOTS, np.int32),
        np.zeros(gates, np.int32),
        np.zeros(gates, np.bool_),
        np.zeros(64, np.uint64),
    )
    state.values[1] = ~np.uint64(0)
    for flop in range(len(circuit.flop_data)):
        state.target[gates + flop] = circuit.flop_inverts[flop]
        state.values[circuit.driven[gates + flop]] = circuit.flop_inverts[flop]
    for gate in range(gates):
        state.target[gate] = _evaluated(circuit, gate, state.values, state.scratch)
        state.values[circuit.driven[gate]] = state.target[gate]
    return state


@_inlined
def _drive(circuit: Circuit, state: _State, driver: int, word: np.uint64, time: int) -> int:
    """A driver turns to a word; returns how many changes are due by that.

    A change that has not happened yet when its cause is gone will not happen at all: a pulse
    shorter than the delay is swallowed.
    """
    changed = word ^ state.target[driver]
    if changed == 0:
        return 0
    state.target[driver] = word
    withdrawn = changed & state.pending[driver]
    if withdrawn != 0:
        longest = max(circuit.delay[driver, 0], circuit.delay[driver, 1])
        for later in range(1, longest + 1):
            state.changes[driver, (time + later) & (SLOTS - 1)] &= ~withdrawn
    state.pending[driver] ^= changed
    due = 0
    for rises in range(2):
        added = changed & ~withdrawn & (word if rises else ~word)
        if added != 0:
            slot = (time + circuit.delay[driver, rises]) & (SLOTS - 1)
            if state.changes[driver, slot] == 0:
                state.due[slot, state.due_count[slot]] = driver
                state.due_count[slot] += 1
                due += 1
            state.changes[driver, slot] |= added
    return due


@_inlined
def _happen(circuit: Circuit, state: _State, time: int, counted: int, toggles: Counts) -> int:
    """All changes that are due; returns how many gates read them."""
    slot = time & (SLOTS - 1)
    count = 0
    for place in range(state.due_count[slot]):
        driver = state.due[slot, place]
        changed = state.changes[driver, slot]
        if changed == 0:
            continue
        state.changes[driver, slot] = 0
        state.pending[driver] &= ~changed
        net = circuit.driven[driver]
        state.values[net] ^= changed
        toggles[net] += counted * _ones(changed)
        for reader in range(circuit.first_reader[net], circuit.first_reader[net + 1]):
            gate = circuit.readers[reader]
            if not state.is_waiting[gate]:
                state.is_waiting[gate] = True
                state.waiting[count] = gate
                count += 1
    state.due_count[slot] = 0
    return count


@_inlined
def _settle(circuit: Circuit, state: _State, due: int, counted: int, toggles: Counts) -> None:
    """Time goes on until no change is due."""
    time = 0
    while due > 0:
        time += 1
        due -= state.due_count[time & (SLOTS - 1)]
        for place in range(_happen(circuit, state, time, counted, toggles)):
            gate = state.waiting[place]
            state.is_waiting[gate] = False
            word = _evaluated(circuit, gate, state.values, state.scratch)
            due += _drive(circuit, state, gate, word, time)


@_kernel
def simulate_circuit(
    circuit: Circuit,
    stimulus: Words,
    warm_up: int,
    recorded: Words,
    settled: Counts,
    delayed: Counts,
) -> None:
    """Run a circuit from all flip-flops and inputs at 0.

    In each cycle the flip-flops take over what their data nets were, the inputs change, and gates
    follow what they read.

    Args:
        circuit: what to run.
        stimulus: words of the inputs, [cycles, inputs].
        warm_up: cycles in front whose toggles do not count.
        recorded: filled with words of the outputs at the end of each cycle, [cycles, outputs].
        settled: added to, toggles of each net from one cycle's end to the next, [nets].
        delayed: added to, toggles of each net with those in between, [nets].
    """
    state = _first_state(circuit, len(settled))
    before = state.values.copy()
    gates, flops = len(circuit.gate_truth), len(circuit.flop_data)
    for cycle in range(len(stimulus)):
        counted = 1 if cycle >= warm_up else 0
        before[:] = state.values
        due = 0
        for flop in range(flops):
            word = before[circuit.flop_data[flop]] ^ circuit.flop_inverts[flop]
            due += _drive(circuit, state, gates + flop, word, 0)
        for place in range(stimulus.shape[1]):
            due += _drive(circuit, state, gates + flops + place, stimulus[cycle, place], 0)
        _settle(circuit, state, due, counted, delayed)
        for net in range(len(settled)):
            settled[net] += counted * _ones(state.values[net] ^ before[net])
        for place in range(len(circuit.outputs)):
            recorded[cycle, place] = state.values[circuit.outputs[place]]


@_kernel
def into_words(integers: NDArray[np.int64], words: Words) -> None:
    """Bit planes of integers, [cycles, streams] into [cycles, bits]."""
    cycles, bits = words.shape
    for cycle in range(cycles):
        for bit in range(bits):
            word = np.uint64(0)
            for stream in range(STREAMS):
                word |= np.uint64((integers[cycle, stream] >> bit) & 1) << np.uint64(stream)
            words[cycle, bit] = word


@_kernel
def into_integers(words: Words, is_signed: bool, integers: NDArray[np.int64]) -> None:
    """Integers of bit planes, [cycles, bits] into [cycles, streams]."""
    cycles, bits = words.shape
    for cycle in range(cycles):
        for stream in range(STREAMS):
            value = 0
            for bit in range(bits):
                is_set = (words[cycle, bit] >> np.uint64(stream)) & np.uint64(1)
                value |= int(np.int64(is_set)) << bit
            if is_signed and bits < 64 and value >> (bits - 1) & 1:
                value -= 1 << bits
            integers[cycle, stream] = value
