"""Every row of the instruction sets: emulated here, compiled for its target, and chosen rightly."""

import os
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import ir

from hwsim.arithmetic import _instruction_sets, reference
from hwsim.arithmetic._instruction_sets import INSTRUCTION_SETS, TABLE, InstructionSet
from hwsim.arithmetic._strip_intrinsic import strip_function
from hwsim.arithmetic._strips import Tile
from hwsim.arithmetic.convolution import convolve, pack_convolution, tiled_kernel
from quant.common.requantization import Requantization
from tests.unit.arithmetic.convolution_cases import cases, widest_operands

EMULATED = range(len(INSTRUCTION_SETS), len(TABLE))
emulated = pytest.mark.parametrize("place", EMULATED, ids=lambda place: TABLE[place].name)
UNSCALED = Requantization(np.array([1]), np.array([0]), 0, -(2**31), 2**31 - 1)

PROCESSORS = {
    "amx": ("sapphirerapids", "tdpbusd"),
    "avx512vnni": ("cascadelake", "vpdpbusd"),
    "avxvnni": ("alderlake", "{vex}\tvpdpbusd"),
    "avx512vnni int16": ("cascadelake", "vpdpwssd"),
    "avx512bw": ("skylake-avx512", "vpmaddwd"),
    "avx2": ("haswell", "vpmaddwd"),
}
"""For each row a processor that has it, and the instruction it is about."""


@emulated
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_emulated_rows_equal_the_reference(place: int, data: st.DataObject) -> None:
    kernel = tiled_kernel(place)
    case = data.draw(cases(widest_operands(kernel)))
    assert (convolve(case.pack(kernel), case.ifm) == case.expected()).all()


@emulated
@pytest.mark.parametrize("low", [-128, -3, 0, 100])
def test_operands_of_every_origin_at_their_extremes(place: int, low: int) -> None:
    """Where a saturating instruction or a wrong sign would show."""
    random = np.random.default_rng(0)
    ifm = random.choice([low, low + 255], (3, 40, 70)).astype(np.int32)
    weight = random.choice([-128, 127], (40, 2, 2, 70)).astype(np.int32)
    ifm[:, :8], weight[:4] = low + 255, -128
    bias = random.integers(-(2**20), 2**20, 40)
    packed = pack_convolution(weight, bias, UNSCALED, low, low + 255, kernels=[tiled_kernel(place)])
    assert (convolve(packed, ifm) == reference.convolve(ifm, weight, bias)).all()


@pytest.mark.parametrize("row", INSTRUCTION_SETS, ids=lambda row: row.name)
def test_what_rows_hold(row: InstructionSet) -> None:
    bits = np.iinfo(row.operand).bits
    weight = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1], np.int32).reshape(2, 1, 1, 1)
    zeros, kernel = np.zeros(2, np.int64), tiled_kernel(INSTRUCTION_SETS.index(row))
    pack_convolution(weight, zeros, UNSCALED, -5, 2**bits - 6, kernels=[kernel])
    for wider, high in ((weight - 1, 0), (weight + 1, 0), (weight, 2**bits - 5)):
        with pytest.raises(ValueError, match="too large for the kernels"):
            pack_convolution(wider, zeros, UNSCALED, -5, high, kernels=[kernel])


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="needs LLVM's x86 code generator")
@pytest.mark.parametrize("name", PROCESSORS)
def test_strips_are_made_of_the_rows_instruction(name: str) -> None:
    row = next(row for row in INSTRUCTION_SETS if row.name == name)
    processor, instruction = PROCESSORS[name]
    for tile in (row.wide, row.narrow):
        code = [line.strip() for line in _assembly(row, tile, processor).splitlines()]
        steps = sum(line.startswith(instruction) for line in code)
        assert steps >= tile.registers * (tile.pixels if row.words == 1 else tile.pixels // 16)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="needs LLVM's x86 code generator")
@pytest.mark.parametrize("name", [name for name in PROCESSORS if name != "amx"])
def test_no_sum_leaves_its_register(name: str) -> None:
    """A tile that is too large for the registers would be slow, and right nevertheless."""
    row = next(row for row in INSTRUCTION_SETS if row.name == name)
    for tile in (row.wide, row.narrow):
        code = _assembly(row, tile, PROCESSORS[name][0])
        assert "(%rsp), %ymm" not in code
        assert "(%rsp), %zmm" not in code


def _assembly(row: InstructionSet, tile: Tile, processor: str) -> str:
    """What LLVM makes of a row's strips for a processor."""
    module = ir.Module()
    module.triple = "x86_64-unknown-linux-gnu"
    strip_function(module, row, tile).linkage = "external"
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_triple(module.triple).create_target_machine(processor, opt=3)
    assembly: str = machine.emit_assembly(llvm.parse_assembly(str(module)))
    return assembly


@pytest.mark.parametrize(
    ("features", "is_permitted", "names"),
    [
        ("", True, ["generic"]),
        ("avx2", True, ["avx2", "generic"]),
        ("avx2 avxvnni", True, ["avxvnni", "avx2", "generic"]),
        ("avx2 avx512f avx512bw", True, ["avx512bw", "avx2", "generic"]),
        (
            "avx2 avx512f avx512bw avx512vnni",
            True,
            ["avx512vnni", "avx512vnni int16", "avx512bw", "avx2", "generic"],
        ),
        ("amx-tile amx-int8", True, ["amx", "generic"]),
        ("amx-tile amx-int8", False, ["generic"]),
    ],
)
def test_rows_are_available_where_the_target_offers_their_features(
    features: str, is_permitted: bool, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_instruction_sets, "target_features", lambda: frozenset(features.split()))
    monkeypatch.setattr(_instruction_sets, "is_permitted", lambda: is_permitted)
    assert [TABLE[place].name for place in _instruction_sets.available()] == names


CHECK_CACHE = """
import numpy as np
from hwsim.arithmetic.convolution import convolve, pack_convolution
from quant.common.requantization import Requantization

weight, ifm = np.ones((9, 3, 3, 4), np.int32), np.ones((5, 5, 4), np.int32)
scaling = Requantization(np.array([1]), np.array([0]), 0, -(2**31), 2**31 - 1)
packed = pack_convolution(weight, np.zeros(9, np.int64), scaling, 0, 1)
assert (convolve(packed, ifm) == 36).all()
"""


def test_a_second_process_finds_the_machine_code(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    contents = []
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", CHECK_CACHE], env=environment, check=True, timeout=120
        )
        contents.append({file.name: file.stat().st_mtime_ns for file in tmp_path.rglob("*.nb*")})
    assert contents[0] == contents[1]
    assert any(name.endswith(".nbc") for name in contents[0])


TARGETS = {
    "x86-64-v2": ("", "generic"),
    "haswell": ("+avx,+avx2,+fma,+bmi,+bmi2", "avx2"),
    "skylake-avx512": ("+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512dq", "avx512bw"),
    "cascadelake": (
        "+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512dq,+avx512vnni",
        "avx512vnni",
    ),
    "sapphirerapids": (
        "+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512dq,+avx512vnni,+avxvnni,"
        "+amx-tile,+amx-int8",
        "amx",
    ),
}
"""What Numba is told to compile for: features, and the row that is chosen for 8 bits."""


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_kernels_on_other_targets(target: str, tmp_path: Path) -> None:
    """The tests of the kernels, compiled for a lesser processor than this one may be."""
    features, chosen = TARGETS[target]
    environment = os.environ | {
        "NUMBA_CPU_NAME": target,
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    here = llvm.get_host_cpu_features()
    missing = [name for name in features.replace("+", "").split(",") if name and not here.get(name)]
    if os.uname().machine != "x86_64" or missing:
        pytest.skip(f"this processor has no {', '.join(missing) or 'x86-64 instructions'}")
    command = "from hwsim.arithmetic.convolution import KERNELS; print(KERNELS[0].name)"
    found = subprocess.run(
        [sys.executable, "-c", command], env=environment, check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == chosen
    tests = Path(__file__).with_name("test_convolution.py")
    command_line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    subprocess.run(command_line, env=environment, check=True, timeout=280)


CHECK_COMPILATION = """
import numpy as np
from numba import typeof
from hwsim.arithmetic._instruction_sets import INSTRUCTION_SETS, available, target_features
from hwsim.arithmetic._kernels_convolution_tiles import tile_kernel
from hwsim.arithmetic.convolution import pack_convolution, tiled_kernel
from quant.common.requantization import Requantization

scaling = Requantization(np.array([1]), np.array([0]), 0, -128, 127)
for place, row in enumerate(INSTRUCTION_SETS):
    if not row.features <= target_features():
        continue
    packed = pack_convolution(
        np.ones((9, 3, 3, 4), np.int32), np.zeros(9, np.int64), scaling, 0, 1,
        kernels=[tiled_kernel(place)],
    )
    layout = packed.layout
    arguments = (
        np.zeros(9, np.uint8), (1, 1), layout.steps.weights, layout.steps.rows,
        layout.steps.blocks, layout.bias, packed.scaling, 1,
        np.zeros((1, 1, 9), np.int32),
    )
    kernel = tile_kernel(place)
    kernel.compile(tuple(map(typeof, arguments)))
    print(row.name, next(iter(kernel.inspect_asm().values())).count(INSTRUCTION[row.name]), sep=":")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="needs LLVM's x86 code generator")
@pytest.mark.parametrize("target", TARGETS)
def test_whole_kernels_compile_for_targets_that_are_not_here(target: str, tmp_path: Path) -> None:
    """Compiled and never run: an instruction that LLVM cannot select would end the process."""
    features, chosen = TARGETS[target]
    instructions = {name: instruction.split()[-1] for name, (_, instruction) in PROCESSORS.items()}
    program = f"INSTRUCTION = {instructions | {'generic': ' '}!r}\n{CHECK_COMPILATION}"
    environment = os.environ | {
        "NUMBA_CPU_NAME": target,
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    found = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, check=True, timeout=200, capture_output=True, text=True,
    )  # fmt: skip
    counts = dict(line.split(":") for line in found.stdout.split("\n") if line)
    assert chosen == "generic" or int(counts[chosen]) > 0
