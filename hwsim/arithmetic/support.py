"""What of the kernels this machine can run: for people who ask, and for bug reports."""

from numba.core.registry import cpu_target

from hwsim.arithmetic._instruction_sets import INSTRUCTION_SETS, InstructionSet, target_features
from hwsim.arithmetic._threads import default_threads


def processor_model() -> str:
    """The processor that kernels are compiled for, as LLVM calls it."""
    _triple, model, _features = cpu_target.target_context.codegen().magic_tuple()
    return str(model)


def kernel_threads() -> int:
    """Threads that a kernel works on."""
    return default_threads()


def instruction_sets() -> dict[str, str | None]:
    """Every instruction set that kernels are written for, in order of preference.

    Returns:
        By name, why it is not used on this machine; None where it is, for operands that fit it.
    """
    offered = target_features()
    return {row.name: _reason(row, offered) for row in INSTRUCTION_SETS}


def _reason(row: InstructionSet, offered: frozenset[str]) -> str | None:
    missing = sorted(row.features - offered)
    if missing:
        return f"the processor has no {', '.join(missing)}"
    return None if row.is_permitted() else "the operating system does not permit it"
