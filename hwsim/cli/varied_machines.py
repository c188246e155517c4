"""The machines of a co-search: every accelerator with every combination of varied values."""

from argparse import Namespace
from collections.abc import Iterator
from itertools import product
from math import prod

from accelerators import EnergyModel, load_accelerator, load_energy_table
from accelerators.variation import Value, value_at, varied_name
from hwsim.cli.distinct import distinct
from hwsim.cli.machine import energy_model_of
from hwsim.cli.search_inputs import most_cycles
from hwsim.search.codesign import Rejected
from quant.common.errors import UserError

MOST_VARIANTS = 200

_OPTION_OF = {
    "array.accumulator_bits": "accumulator_bits",
    "array.accumulator_overflow": "overflow",
    "energy_table": "energy_table",
    "requantizer.rounding": "rounding",
    "scheduling.fusion": "no_fusion",
    "scheduling.objective": "schedule",
}
"""Options that give all machines one value of a key."""


def varied_machines(
    arguments: Namespace, methods: int
) -> tuple[tuple[EnergyModel, ...], tuple[Rejected, ...]]:
    """Every accelerator of ``--accelerator`` with every combination of the values of ``--vary``.

    Args:
        arguments: of a co-search.
        methods: how many methods each machine is searched with.

    Returns:
        The machines, and those that cannot be: their values contradict one another, the energy
        table has no price for them, or their launch overhead is beyond the limit on time.

    Raises:
        UserError: there is no such accelerator, key or value; there are too many machines, two
            with the same name, or none that can be.
    """
    varied = _varied(arguments)
    if arguments.energy_table is not None:
        load_energy_table(arguments.energy_table)  # a wrong name is no matter of single machines
    machines = len(arguments.accelerator) * prod(map(len, varied.values()))
    if machines * methods > MOST_VARIANTS:
        raise UserError(
            f"co-search: expected at most {MOST_VARIANTS} variants, given {machines * methods} "
            f"(machines: {machines}, methods: {methods}); vary fewer values at a time"
        )
    combinations = [dict(zip(varied, values, strict=True)) for values in product(*varied.values())]
    made = [
        machine
        for name in arguments.accelerator
        for machine in _machines(name, combinations, arguments)
    ]
    usable = tuple(each for each in made if isinstance(each, EnergyModel))
    rejected = tuple(each for each in made if isinstance(each, Rejected))
    distinct([energy.accelerator.name for energy in usable], "accelerator")
    if not usable:
        raise UserError(
            f"co-search: expected a machine that can be, found none among {len(rejected)}; "
            f"{rejected[0].label}: {rejected[0].reason}"
        )
    return usable, rejected


def _varied(arguments: Namespace) -> dict[str, tuple[Value, ...]]:
    """From each varied path to its values."""
    varied: dict[str, tuple[Value, ...]] = {}
    for path, texts in arguments.vary:
        option = _OPTION_OF.get(path)
        if path in varied:
            raise UserError(f"--vary {path}: expected each key once; name all its values together")
        if option is not None and getattr(arguments, option):
            raise UserError(
                f"--vary {path}: expected no --{option.replace('_', '-')} beside it, which gives "
                "all machines one value; leave it out"
            )
        distinct(texts, f"value of {path}")
        try:
            varied[path] = tuple(value_at(path, text) for text in texts)
        except UserError as error:
            raise UserError(f"--vary {error}") from error
    return varied


def _machines(
    name: str, combinations: list[dict[str, Value]], arguments: Namespace
) -> Iterator[EnergyModel | Rejected]:
    """An accelerator with each combination of values.

    Raises:
        UserError: there is no such accelerator, or something is wrong with it as it is.
    """
    own_name = load_accelerator(name).name
    for changes in combinations:
        label = varied_name(own_name, changes) if changes else own_name
        try:
            energy = energy_model_of(load_accelerator(name, changes), arguments)
        except UserError as error:
            if not changes:
                raise
            yield _rejected(label, error)
            continue
        try:
            most_cycles(arguments, energy.accelerator)
        except UserError as error:
            yield _rejected(label, error)
            continue
        yield energy


def _rejected(label: str, error: UserError) -> Rejected:
    """Without the name that stands before it anyway, all problems in one sentence."""
    lines = str(error).replace(f"accelerator '{label}': ", "").splitlines()
    return Rejected(label, "; ".join(lines))
