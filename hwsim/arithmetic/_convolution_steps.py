"""A convolution's weights as steps: what each tile adds up, in the order its kernel reads it.

A step multiplies a few neighbouring operands (`InstructionSet.taps`) of each pixel by a register's
worth of weights per lane. Where the operands lie, from the first of a pixel's window on, is all
that kernel size, stride, dilation and groups come down to:

- neighbouring operands form a run: a whole kernel row where no tap or channel is left out, else
  the channels of one tap;
- a block of output channels reads the channels of every group it has a part in, with weights of
  zero where an output channel is not connected.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic._aligned import aligned_copy
from hwsim.arithmetic._instruction_sets import InstructionSet
from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic.geometry import Geometry

FIRST_CHANNEL, REGISTERS, FIRST_STEP, END_STEP, FIRST_WEIGHT = range(5)
"""Columns of `Steps.blocks`."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The steps of all blocks of output channels, one block after the other.

    Attributes:
        weights: of the operands' width, for each step [registers, words, lanes, taps of a word].
        rows: int64 [steps], rows from a window's first to the step's operands.
        elements: int64 [steps], operands from there on.
        blocks: int64 [blocks, 5], where each begins.
        channels: output channels, those that only fill the last block counted.
    """

    weights: NDArray[np.signedinteger]
    rows: Wide
    elements: Wide
    blocks: Wide
    channels: int


@dataclass(frozen=True, slots=True)
class _Block:
    """Output channels ``first`` … ``end`` - 1 in a number of registers."""

    first: int
    end: int
    registers: int


def pack_steps(weight: Codes, geometry: Geometry, instruction_set: InstructionSet) -> Steps:
    """Lay the weights of a convolution out for an instruction set.

    Args:
        weight: int32 [O, KH, KW, I/groups], of a width that the instruction set multiplies.
        geometry: which operands they meet.
        instruction_set: whose lanes and taps to fill.
    """
    stored = f"int{np.iinfo(instruction_set.operand).bits}"
    weights, rows, elements, blocks = [], [], [], []
    step = place = 0
    for block in _blocks(weight.shape[0], geometry.groups, instruction_set):
        lanes = block.registers * instruction_set.lanes
        dense, first_input = _dense(weight, geometry, block, lanes)
        packed, block_rows, block_elements = _runs(
            dense, first_input, weight.shape[3] * geometry.groups, geometry, instruction_set.taps
        )
        registers = packed.reshape(
            -1,
            block.registers,
            instruction_set.lanes,
            instruction_set.words,
            instruction_set.word_taps,
        ).swapaxes(2, 3)
        steps = packed.shape[0]
        blocks.append((block.first, block.registers, step, step + steps, place))
        weights.append(registers.astype(stored).reshape(-1))
        rows.append(block_rows)
        elements.append(block_elements)
        step += steps
        place += packed.size
    return Steps(
        aligned_copy(np.concatenate(weights)),
        np.concatenate(rows),
        np.concatenate(elements),
        np.array(blocks, np.int64),
        blocks[-1][FIRST_CHANNEL] + blocks[-1][REGISTERS] * instruction_set.lanes,
    )


def _blocks(outputs: int, groups: int, instruction_set: InstructionSet) -> Iterator[_Block]:
    """Wide blocks while they fill more than half, narrow ones for the rest and for small groups."""
    wide = instruction_set.wide.registers
    first = 0
    while first < outputs:
        left = min(outputs - first, outputs // groups)
        registers = wide if 2 * left > wide * instruction_set.lanes else 1
        end = min(first + registers * instruction_set.lanes, outputs)
        yield _Block(first, end, registers)
        first = end


def _dense(
    weight: Codes, geometry: Geometry, block: _Block, lanes: int
) -> tuple[NDArray[np.int32], int]:
    """A block's weights [lanes, KH, KW, inputs] for all inputs it reads, and the first of those."""
    outputs, kernel_height, kernel_width, group_inputs = weight.shape
    group_outputs = outputs // geometry.groups
    first_group, last_group = block.first // group_outputs, (block.end - 1) // group_outputs
    inputs = (last_group - first_group + 1) * group_inputs
    dense = np.zeros((lanes, kernel_height, kernel_width, inputs), np.int32)
    for group in range(first_group, last_group + 1):
        first = max(block.first, group * group_outputs)
        end = min(block.end, (group + 1) * group_outputs)
        place = (group - first_group) * group_inputs
        dense[first - block.first : end - block.first, :, :, place : place + group_inputs] = weight[
            first:end
        ]
    return dense, first_group * group_inputs


def _runs(
    dense: NDArray[np.int32], first_input: int, channels: int, geometry: Geometry, taps: int
) -> tuple[NDArray[np.int32], Wide, Wide]:
    """A block's weights [steps, lanes, taps], and the row and element of each step's operands."""
    lanes, kernel_height, kernel_width, inputs = dense.shape
    if geometry.dilation[1] == 1 and inputs == channels:
        row_runs, length = 1, kernel_width * inputs
    else:
        row_runs, length = kernel_width, inputs
    run_steps = -(-length // taps)
    padded = np.zeros((lanes, kernel_height * row_runs, run_steps * taps), np.int32)
    padded[:, :, :length] = dense.reshape(lanes, kernel_height * row_runs, length)
    packed = padded.reshape(lanes, -1, taps).swapaxes(0, 1)
    row, run, step = np.indices((kernel_height, row_runs, run_steps))
    elements = run * geometry.dilation[1] * channels + first_input + step * taps
    return packed, (row * geometry.dilation[0]).reshape(-1), elements.reshape(-1)
