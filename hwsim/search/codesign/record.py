"""A co-search as plain JSON values; units in the keys, null for what does not apply."""

from collections.abc import Mapping
from dataclasses import asdict

from hwsim.search.codesign.result import CodesignResult
from hwsim.search.codesign.variant import Choice, Outcome
from hwsim.search.result import Json, figures_json, minimized_word


def codesign_json(found: CodesignResult, folders: Mapping[str, str] | None = None) -> Json:
    """Everything but the tables and predictions of each variant, which its own search tells.

    Args:
        found: the result; one of its variants recommends something.
        folders: from a variant's label to the folder with its own files.
    """
    request, limits = found.request, found.request.limits
    ruler, places = found.ruler, {each.variant.label: n for n, each in enumerate(found.ranked(), 1)}
    return {
        "image_size": [request.image_size.height, request.image_size.width],
        "minimize": "area" if found.aim.least_area else minimized_word(request.minimize),
        "minimize_bits": minimized_word(request.minimize),
        "limits": {
            "max_energy_uj": limits.max_energy_uj,
            "max_dram_bytes": limits.max_dram_bytes,
            "max_sram_bytes": limits.max_sram_bytes,
            "min_psnr_to_float_db": limits.min_psnr_db,
            "max_area_mm2": found.aim.max_area_mm2,
        },
        "recommended": _choice(found.recommended()),
        "front": [_choice(choice) for choice in found.front],
        "hypervolume": {
            "reference": ruler.reference,
            "measured": ruler.of_choices(found.choices()),
        },
        "variants": [
            {
                **_machine(outcome),
                "place": places[outcome.variant.label] if outcome.recommended else None,
                "reason": outcome.reason or None,
                "folder": (folders or {}).get(outcome.variant.label),
                "base": None if outcome.found is None else _base(outcome),
                "recommended": outcome.recommended and _choice(outcome.recommended),
                "hypervolume": ruler.of_choices(outcome.choices) if outcome.found else None,
                "points": [_choice(choice) for choice in outcome.choices],
            }
            for outcome in found.outcomes
        ],
        "rejected": [asdict(each) for each in found.rejected],
    }


def _machine(outcome: Outcome) -> Json:
    variant = outcome.variant
    machine = variant.target.accelerator
    return {
        "variant": variant.label,
        "accelerator": machine.name,
        "method": variant.method,
        "energy_table": variant.target.energy.table.name,
        "clock_mhz": machine.clock_mhz,
        "launch_overhead_ms": machine.latency_ms(0),
        "max_cycles": variant.request.limits.max_cycles,
        **asdict(variant.size),
        "area_by_component_mm2": dict(variant.area.by_component_mm2),
    }


def _base(outcome: Outcome) -> Json:
    assert outcome.found is not None
    base = outcome.found.base
    return {
        "bits": str(outcome.found.request.base),
        **figures_json(base),
        "latency_ms": outcome.variant.latency_ms(base),
    }


def _choice(choice: Choice) -> Json:
    check = choice.point.on_machine
    return {
        "variant": choice.variant.label,
        "label": choice.point.label,
        "bits": {layer: str(bits) for layer, bits in choice.point.bits.items()},
        "policy": choice.point.policy.to_yaml(),
        **figures_json(choice.measured),
        "latency_ms": choice.latency_ms,
        "on_machine": None if check is None else asdict(check),
    }
