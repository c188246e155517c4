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
