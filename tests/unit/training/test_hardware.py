import ctypes
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch

from quant.common.errors import UserError
from quant.training import hardware
from quant.training.config import TrainingConfig

Configure = Callable[..., TrainingConfig]
CPU = torch.device("cpu")


def test_cuda_where_there_is_none_is_a_user_error(
    short_run: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError) as caught:
        hardware.choose_device(short_run(device="cuda"))
    assert str(caught.value) == (
        "training: expected a CUDA device, found none; use --device cpu or --device auto"
    )


@pytest.mark.parametrize(("present", "expected"), [(False, "cpu"), (True, "cuda")])
def test_auto_takes_cuda_where_there_is_some(
    short_run: Configure, monkeypatch: pytest.MonkeyPatch, present: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert hardware.choose_device(short_run(device="auto")).type == expected
    assert hardware.choose_device(short_run(device="cpu")).type == "cpu"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [({"avx2"}, False), ({"avx2", "avx512_bf16"}, True), ({"amx_bf16"}, True)],
)
def test_auto_multiplies_bfloat16_only_where_the_processor_does(
    short_run: Configure, monkeypatch: pytest.MonkeyPatch, flags: set[str], expected: bool
) -> None:
    monkeypatch.setattr(hardware, "_processor_flags", lambda: frozenset(flags))
    assert hardware.uses_bfloat16(short_run(precision="auto"), CPU) is expected
    assert hardware.uses_bfloat16(short_run(precision="float32"), CPU) is False
    assert hardware.uses_bfloat16(short_run(precision="bf16"), CPU) is True


_FAULTS = """
import resource
import numpy as np
from quant.training.hardware import keep_freed_memory

keep_freed_memory()
np.ones(2**23)  # 64 MiB, freed at once
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(2**23)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="glibc is not the allocator")
def test_freed_memory_is_used_again() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _FAULTS], capture_output=True, text=True, check=True
    )
    assert int(answer.stdout) < 100  # of 16384 pages
