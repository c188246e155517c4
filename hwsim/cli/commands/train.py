"""``hwsim train``: a float network, or the parameters of a quantization method, from pictures."""

from argparse import Namespace

from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_BITS
from quant.common.errors import UserError
from quant.networks import load_network, network_config
from quant.policy import BitPolicy
from quant.training import TrainingConfig, train
from quant.training.hardware import keep_freed_memory

_OPTIONS = (
    "iterations", "minutes", "batch", "patch", "learning_rate", "seed", "initial_weights",
    "validation", "validate_minutes", "device", "precision",
)  # fmt: skip
"""Options that are passed on under their own name, where they were given."""

_LEARNING_OPTIONS = ("iterations", "batch", "patch", "learning_rate", "seed", "device")
"""The same of a quantization method."""


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    network_config(arguments.network)
    keep_freed_memory()
    if arguments.method is not None:
        return _learn(arguments)
    _refuse(arguments, ("bits", "weights"), "go with --method")
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


def _learn(arguments: Namespace) -> int:
    from quant.lowering.trace import trace
    from quant.methods import method_named
    from quant.methods.learning.learned import learned_file_name
    from quant.methods.learning.pictures import Pictures
    from quant.methods.learning.schedule import Schedule
    from quant.methods.learning.training import learn_to_file, learning_method

    _refuse(arguments, tuple(set(_OPTIONS) - {*_LEARNING_OPTIONS, "precision"}), "train networks")
    method = learning_method(method_named(arguments.method))
    policy = BitPolicy.load(arguments.bits or DEFAULT_BITS)
    given = {name: getattr(arguments, name) for name in _LEARNING_OPTIONS}
    given = {name: value for name, value in given.items() if value is not None}
    usual = {"iterations": 1000, **getattr(method, "schedule_defaults", {})}
    schedule = Schedule(**{**usual, **given, "bfloat16": arguments.precision == "bf16"})
    messages = Messages(quiet=arguments.quiet)
    network = load_network(arguments.network, arguments.weights)
    scale = network_config(arguments.network).scale
    messages.say("reading the training pictures …")
    pictures = Pictures.load(tuple(arguments.images), scale, schedule.patch)
    name = arguments.method.partition(":")[0]
    path = arguments.out / learned_file_name(arguments.network, name, policy)
    with messages.stage(f"learning {arguments.method}") as step:
        learn_to_file(
            trace(network, arguments.network), method, policy, pictures, schedule, path,
            lambda done, total, _loss: step(done, total),
        )  # fmt: skip
    print(f"{path}: {schedule.iterations} iterations")
    return 0


def _refuse(arguments: Namespace, names: tuple[str, ...], why: str) -> None:
    for name in names:
        if getattr(arguments, name) is not None:
            raise UserError(f"--{name.replace('_', '-')}: options of this kind {why}; leave it out")
