"""The co-search: the bits of every variant are searched, and the best of all is taken."""

import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from hwsim.ledger import Ledger
from hwsim.schedule import ScheduleError
from hwsim.search.codesign.machine_aim import NO_AIM, MachineAim
from hwsim.search.codesign.result import CodesignResult
from hwsim.search.codesign.variant import Choice, Outcome, Rejected, Variant
from hwsim.search.evaluation import Pictures
from hwsim.search.no_policy import NoPolicyError
from hwsim.search.progress import Progress
from hwsim.search.search import search
from quant.common.errors import UserError

_STEPS = 1000
"""Of progress within a variant: how many measurements others need is not known before."""


def codesign(
    variants: Sequence[Variant],
    pictures: Pictures,
    kept: Path | Ledger | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
    rejected: Sequence[Rejected] = (),
    aim: MachineAim = NO_AIM,
) -> CodesignResult:
    """Search the bits of every variant.

    Every variant is searched as it would be alone, and with the same result. They share one ledger,
    in which errors do not depend on the machine: those of a policy are measured once for each
    method, and only costs anew. No variant is left out early, for no bound tells for certain what a
    machine's policies cost before they are searched; but where the least area wins, machines larger
    than one that does the job are not searched.

    Args:
        variants: what there is to choose from; what is asked of them differs in cycles alone.
        pictures: what quality is judged on.
        kept: where measurements are kept and found again, as of `search`.
        progress: called with what is done and what there is to do in all, in shares of variants.
        executor: computes the measurements, as of `search`.
        rejected: machines that cannot be, for the record.
        aim: what is asked of machines.

    Raises:
        UserError: there is no variant, two have the same label or are asked for different things,
            none is of an area that is asked for, or as of `search`. No room, or no policy within
            the limits, is an outcome.
    """
    _check(variants)
    ledger = kept if isinstance(kept, Ledger) else Ledger(kept)
    usable, too_large = _by_refusal(variants, aim)
    outcomes: dict[str, Outcome] = {}
    least: Outcome | None = None
    for done, variant in enumerate(sorted(usable, key=aim.area_to_minimize)):
        step = _part_of(progress, done, len(usable))
        outcome = (
            _outcome(variant, pictures, ledger, step, executor)
            if least is None or not aim.is_larger(variant, least.variant)
            else _not_searched(variant, least)
        )
        step(1, 1)
        outcomes[variant.label] = outcome
        if least is None and outcome.recommended is not None:
            least = outcome
    in_order = tuple(outcomes[variant.label] for variant in usable)
    return CodesignResult(in_order, (*rejected, *too_large), aim)


def _by_refusal(
    variants: Sequence[Variant], aim: MachineAim
) -> tuple[list[Variant], list[Rejected]]:
    """The variants whose machines may be chosen, and the others.

    Raises:
        UserError: there is none that may.
    """
    refusals = [(variant, aim.refusal(variant)) for variant in variants]
    usable = [variant for variant, reason in refusals if reason is None]
    rejected = [Rejected(variant.label, reason) for variant, reason in refusals if reason]
    if not usable:
        smallest = min(variants, key=lambda each: each.area.area_mm2 or math.inf)
        nearest = next(each for each in rejected if each.label == smallest.label)
        raise UserError(
            f"co-search: expected a machine of the area that is asked for, found none among "
            f"{len(rejected)}; {nearest.label}: {nearest.reason}"
        )
    return usable, rejected


def _not_searched(variant: Variant, least: Outcome) -> Outcome:
    reason = f"not searched: {least.variant.label} has less area and keeps to the limits"
    return Outcome(variant, None, None, reason)


def _outcome(
    variant: Variant,
    pictures: Pictures,
    ledger: Ledger,
    progress: Progress,
    executor: Executor | None,
) -> Outcome:
    try:
        found = search(
            variant.request,
            variant.build_graph,
            pictures,
            variant.target,
            ledger,
            progress,
            executor,
        )
    except (ScheduleError, NoPolicyError) as error:
        return Outcome(variant, None, None, str(error))
    try:
        return Outcome(variant, found, Choice(variant, found.recommended()))
    except NoPolicyError as error:
        return Outcome(variant, found, None, str(error))


def _part_of(progress: Progress | None, done: int, count: int) -> Progress:
    """Progress within one of several variants as progress of them all."""

    def step(of_variant: int, total: int) -> None:
        if progress is not None:
            progress(done * _STEPS + _STEPS * of_variant // total, count * _STEPS)

    return step


def _check(variants: Sequence[Variant]) -> None:
    if not variants:
        raise UserError("co-search: expected a machine and a method at least, given none; name one")
    (label, times), *_ = Counter(variant.label for variant in variants).most_common(1)
    if times > 1:
        raise UserError(
            f"co-search: expected each variant once, given '{label}' {times} times; name it once"
        )
    asked = {(each.request.minimize, each.request.image_size) for each in variants}
    if len(asked) > 1:
        raise UserError(
            "co-search: expected all variants to minimize the same for the same image size, given "
            f"{len(asked)} different aims; ask the same of each"
        )
