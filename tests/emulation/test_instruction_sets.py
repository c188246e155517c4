"""Each instruction set's tiles, as machine code, on an emulated processor that has it.

The tests of the kernels run what this machine's processor can run. Here the very machine code for
other processors is executed: Bochs computes each instruction from its own definition. Bochs 2.7
has AVX-512 and VNNI; AVX-VNNI and AMX need 3.0.
"""

from collections.abc import Iterator
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir

from hwsim.arithmetic._instruction_sets import INSTRUCTION_SETS, InstructionSet
from hwsim.arithmetic._strip_intrinsic import strip_function
from hwsim.arithmetic._strips import Tile
from tests.emulation.processor import ENTRY, Arrays, missing_tools, processors, run

PROCESSORS = {
    # features: LLVM's name and Bochs's
    frozenset[str](): ("x86-64-v2", "corei7_haswell_4770"),
    frozenset({"avx2"}): ("haswell", "corei7_haswell_4770"),
    frozenset({"avx512f", "avx512bw"}): ("skylake-avx512", "corei7_skylake_x"),
    frozenset({"avx512f", "avx512vnni"}): ("icelake-client", "corei7_icelake_u"),
    frozenset({"avx2", "avxvnni"}): ("arrowlake", "arrow_lake"),
    frozenset({"amx-int8", "amx-tile"}): ("sapphirerapids", "sapphire_rapids"),
}
STEPS = 37
TILES = 2

pytestmark = pytest.mark.skipif(
    bool(missing_tools()), reason=f"needs {', '.join(missing_tools())} to emulate processors"
)


def _tiles() -> Iterator[object]:
    for row in INSTRUCTION_SETS:
        for tile in (row.wide, row.narrow):
            name = f"{row.name}-{tile.pixels}x{tile.registers}"
            _, model = PROCESSORS[row.features]
            absent = pytest.mark.skipif(
                model not in processors(), reason=f"this Bochs emulates no {model}"
            )
            yield pytest.param(row, tile, id=name, marks=absent)


@pytest.mark.parametrize(("row", "tile"), list(_tiles()))
def test_tiles_on_a_processor_that_has_the_instructions(
    row: InstructionSet, tile: Tile, tmp_path: Path
) -> None:
    random = np.random.default_rng(1)
    limits = np.iinfo(row.operand)
    lanes, columns = tile.registers * row.lanes, TILES * tile.pixels
    weight_type = np.dtype(row.operand).str.replace("u", "i")
    step_bytes = 4 * row.words
    operands = random.integers(limits.min, limits.max, (columns, STEPS, row.taps), endpoint=True)
    largest = 2 ** (limits.bits - 1)
    # Bochs 3.0 takes the weights of AMX for unsigned, so they are drawn where that is the same.
    least = 0 if "amx-int8" in row.features else -largest
    weights = random.integers(least, largest, (STEPS, lanes, row.taps))
    operands[0, :2], weights[:2, 0] = limits.max, least  # where saturation would show
    if row.operand == np.int16:
        operands >>= 3  # so that 37 steps stay within 32 bits
    bias = random.integers(-(2**20), 2**20, lanes)
    shape = (STEPS, tile.registers, row.lanes, row.words, row.word_taps)
    by_register = weights.reshape(shape).transpose(0, 1, 3, 2, 4)
    memory = Arrays(
        {
            "sums": np.zeros((columns, lanes), np.int32),
            "bias": bias.astype(np.int32),
            "operands": operands.astype(row.operand),
            "weights": by_register.astype(weight_type),
            "offsets": step_bytes * np.arange(STEPS, dtype=np.int64),
        },
        (STEPS * step_bytes, STEPS, columns),
        "sums",
    )
    processor, model = PROCESSORS[row.features]
    found = run(_object_code(row, tile, processor), model, memory, tmp_path)
    expected = np.einsum("pst,slt->pl", operands, weights) + bias
    assert np.abs(expected).max() < 2**31
    assert (np.frombuffer(found, np.int32).reshape(expected.shape) == expected).all()


def _object_code(row: InstructionSet, tile: Tile, processor: str) -> bytes:
    """The strip's function and an entry that takes its arguments from a list of words."""
    module = ir.Module()
    module.triple = "x86_64-unknown-none"
    word, byte = ir.IntType(64), ir.IntType(8)
    callee = strip_function(module, row, tile)
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), [word.as_pointer()]), ENTRY)
    builder = ir.IRBuilder(entry.append_basic_block())
    words = [builder.load(builder.gep(entry.args[0], [word(i)])) for i in range(len(callee.args))]
    pointers = [builder.inttoptr(value, byte.as_pointer()) for value in words[:5]]
    builder.call(callee, [*pointers, *words[5:]])
    builder.ret_void()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_triple(module.triple)
    machine = target.create_target_machine(processor, opt=3, reloc="static", codemodel="small")
    compiled: bytes = machine.emit_object(llvm.parse_assembly(str(module)))
    return compiled
