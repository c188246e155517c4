"""Which device a run uses, in which precision it multiplies there, how it keeps memory."""

import ctypes
from pathlib import Path

import torch

from quant.common.errors import UserError
from quant.training.config import TrainingConfig

# Options of mallopt(3), from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> None:
    """Have the process keep freed memory for its next tensors; where glibc allocates, else nothing.

    Otherwise every large tensor gets fresh pages from the system, cleared one by one: a tenth of a
    training step of EDSR-baseline.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_M_TOP_PAD, 2**28)


def choose_device(config: TrainingConfig) -> torch.device:
    """The device of a run.

    Raises:
        UserError: CUDA is asked for and there is none.
    """
    return named_device(config.device)


def named_device(name: str) -> torch.device:
    """The device ``cpu`` or ``cuda``, or with ``auto`` CUDA if there is any.

    Raises:
        UserError: CUDA is asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "training: expected a CUDA device, found none; use --device cpu or --device auto"
        )
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def uses_bfloat16(config: TrainingConfig, device: torch.device) -> bool:
    """Whether convolutions multiply bfloat16: as asked, or where the hardware does it natively.

    Elsewhere bfloat16 is emulated and many times slower than float32.
    """
    if config.precision != "auto":
        return config.precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(_processor_flags() & {"avx512_bf16", "amx_bf16"})


def _processor_flags() -> frozenset[str]:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return frozenset()
    lines = information.read_text().splitlines()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.split())
