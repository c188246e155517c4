"""What people do with hwsim from Python, in a few short names.

>>> import hwsim.api as hw
>>> costs = hw.estimate("edsr_tiny_x2", "edge_npu", input_size=(180, 320), bits="w4a8")
>>> run = hw.run("edsr_tiny_x2", "edge_npu", image="photo.png")

Arguments are called as the command line's options are, results as its JSON is. In a notebook, what
comes back shows itself as a table or a picture. Names are loaded when first used, so that importing
this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hwsim.api.comparisons import Comparison as Comparison
    from hwsim.api.comparisons import compare as compare
    from hwsim.api.costs import estimate as estimate
    from hwsim.api.machines import accelerator as accelerator
    from hwsim.api.machines import names as names
    from hwsim.api.networks import load as load
    from hwsim.api.networks import quantize as quantize
    from hwsim.api.runs import Run as Run
    from hwsim.api.runs import run as run
    from hwsim.api.searches import Search as Search
    from hwsim.api.searches import search as search

_HOME = {
    "Comparison": "comparisons",
    "Run": "runs",
    "Search": "searches",
    "accelerator": "machines",
    "compare": "comparisons",
    "estimate": "costs",
    "load": "networks",
    "names": "machines",
    "quantize": "networks",
    "run": "runs",
    "search": "searches",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hwsim.api' has no attribute '{name}'")
    return getattr(import_module(f"hwsim.api.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
