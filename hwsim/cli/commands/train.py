"""``hwsim train``: a float network from folders of pictures."""

from argparse import Namespace

from quant.networks import network_config
from quant.training import TrainingConfig, train
from quant.training.hardware import keep_freed_memory

_OPTIONS = (
    "iterations", "minutes", "batch", "patch", "learning_rate", "seed", "initial_weights",
    "validation", "validate_minutes", "device", "precision",
)  # fmt: skip
"""Options that are passed on under their own name, where they were given."""


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    network_config(arguments.network)
    keep_freed_memory()
    given = {name: getattr(arguments, name) for name in _OPTIONS}
    config = TrainingConfig(
        network=arguments.network,
        images=tuple(arguments.images),
        output=arguments.out,
        **{name: value for name, value in given.items() if value is not None},
    )
    result = train(config)
    quality = "" if result.psnr_db is None else f", {result.psnr_db:.2f} dB on the validation"
    print(f"{result.weights}: {result.iterations} iterations{quality}")
    return 0
