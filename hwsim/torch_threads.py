"""How many threads torch computes on."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread_of_torch() -> Iterator[None]:
    """Torch computes on one thread within the block, as it does in workers.

    How its sums are rounded depends on the number, and what some methods quantize to on that.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
