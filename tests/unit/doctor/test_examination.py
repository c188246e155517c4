"""The record and what is said of it."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from hwsim.doctor.caches import Cache, Kernels
from hwsim.doctor.examination import Examination
from hwsim.doctor.packages import Extra, Package
from hwsim.doctor.processor import InstructionSet, Memory, Processor
from hwsim.doctor.programs import Program
from hwsim.doctor.summary import print_examination
from hwsim.doctor.training import Torch

GIB = 2**30
CACHE = Cache(content="simulators", path="/kept", files=3, size_bytes=2**21, writable=True)
NUMPY = Package(name="numpy", version="2.0", required=">=1.26", fits=True)
ONNX = Package(name="onnx", version=None, required=">=1.17", fits=False)
FOUND = Examination(
    version="1.2",
    folder="/there",
    python="3.11.7",
    system="Linux",
    processor=Processor(
        architecture="x86_64",
        model="znver4",
        usable_processors=4,
        kernel_threads=2,
        instruction_sets=(
            InstructionSet(name="amx", usable=False, reason="the processor has no amx-int8"),
            InstructionSet(name="generic", usable=True, reason=None),
        ),
    ),
    memory=Memory(total_bytes=8 * GIB, available_bytes=6 * GIB, limit_bytes=2 * GIB),
    kernels=Kernels(compiled=True, problem=None, caches=(CACHE,)),
    torch=Torch(version="2.13", devices=("cpu",), problem=None),
    packages=(NUMPY,),
    extras=(
        Extra(name="verify", complete=False, packages=(NUMPY, ONNX), install="pip install it"),
    ),
    programs=(
        Program(name="yosys", path=None, version=None, purpose="areas", install="apt install it"),
        Program(name="vvp", path="/bin/vvp", version="11.0", purpose="", install=""),
    ),
    caches=(CACHE,),
)


def printed(found: Examination, capsys: pytest.CaptureFixture[str]) -> str:
    print_examination(found)
    return " ".join(capsys.readouterr().out.split())


def test_the_json_is_the_record() -> None:
    assert json.loads(FOUND.to_json()) == json.loads(json.dumps(asdict(FOUND)))


def test_everything_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(FOUND, capsys)

    for part in (
        "hwsim 1.2 in /there",
        "Python 3.11.7 on Linux",
        "4 usable, 2 threads a kernel",
        "8.0 GiB, 6.0 GiB available, limited to 2.0 GiB",
        "amx – the processor has no amx-int8",
        "generic yes",
        "verify – pip install it (missing: onnx)",
        "yosys – apt install it (areas)",
        "vvp 11.0 /bin/vvp",
        "simulators 3 files, 2.0 MiB /kept",
        "Everything that hwsim cannot do without works here.",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"packages": (replace(ONNX, name="torch"),)},
            "torch: expected >=1.17, found None; pip install 'torch>=1.17'",
        ),
        (
            {"kernels": Kernels(compiled=False, problem="RuntimeError: no", caches=())},
            "kernels: RuntimeError: no",
        ),
        (
            {"torch": Torch(version=None, devices=(), problem="ImportError: broken")},
            "torch: ImportError: broken",
        ),
        (
            {"caches": (replace(CACHE, writable=False),)},
            "/kept: cannot be written to, so that simulators cannot be kept there",
        ),
    ],
)
def test_what_is_wrong_is_told(
    changes: dict[str, Any], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = replace(FOUND, **changes)

    assert found.problems() == (sentence,)
    assert f"problem: {sentence}" in printed(found, capsys)


def test_little_may_be_known(capsys: pytest.CaptureFixture[str]) -> None:
    processor = replace(FOUND.processor, model=None, kernel_threads=None, instruction_sets=())
    memory = Memory(total_bytes=None, available_bytes=None, limit_bytes=None)

    told = printed(replace(FOUND, processor=processor, memory=memory), capsys)

    assert "x86_64, model unknown" in told
    assert "4 usable, no threads a kernel" in told
    assert "memory unknown" in told
    assert "kernels use" not in told
