"""Whether torch works here, and on what it can train."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Torch:
    """PyTorch, which calibrates and trains.

    Attributes:
        version: that is installed; None where it cannot be imported.
        devices: on which it can train: ``cpu``, and the name of each CUDA device.
        problem: why it cannot be imported; None where it can.
    """

    version: str | None
    devices: tuple[str, ...]
    problem: str | None


def torch_here() -> Torch:
    """PyTorch as it is here."""
    try:
        import torch
    except Exception as error:  # a broken installation fails in ways of its own
        problem = f"{type(error).__name__}: {error}"
        return Torch(version=None, devices=(), problem=problem)
    cuda = torch.cuda
    names = [cuda.get_device_name(n) for n in range(cuda.device_count())]
    return Torch(version=torch.__version__, devices=("cpu", *names), problem=None)
