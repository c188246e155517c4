"""Energy with the image's own switching beside that of uniformly random data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from accelerators import EnergyModel
from hwsim.activity import LayerActivity, LayerSwitching, layer_activity, measure_switching, merged
from hwsim.cost import ProgramCost
from hwsim.cost.combination import in_sequence
from hwsim.image_run import Codes, ImageRun, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerActivityRecord:
    """One convolution on the image's data."""

    name: str
    activation_hamming_bits: float
    activation_nonzero_rate: float
    weight_hamming_bits: float
    weight_nonzero_rate: float
    toggle_ratio: float
    active_share: float
    uniform_energy_uj: float
    image_energy_uj: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An image's energy on its own data, and on uniformly random data."""

    uniform_energy_uj: float
    image_energy_uj: float
    measured_macs: int
    layers: tuple[LayerActivityRecord, ...]


def measured_activity(run: ImageRun, image: Codes, energy: EnergyModel) -> Activity:
    """The energy of a run with the switching of its own operands.

    Args:
        run: one image, whole or in patches.
        image: int32 [height, width, channels], the codes it ran on.
        energy: the prices.

    Raises:
        UserError: the toggle model does not cover the machine's datapath.
    """
    by_graph: dict[int, list[Part]] = {}
    for part in run.parts:
        by_graph.setdefault(id(part.graph), []).append(part)
    return _together(
        [
            activity_of(
                in_sequence([part.cost for part in parts]),
                merged([_switching(part, image, energy) for part in parts]),
                energy,
            )
            for parts in by_graph.values()
        ]
    )


def _switching(part: Part, image: Codes, energy: EnergyModel) -> dict[str, LayerSwitching]:
    codes = np.ascontiguousarray(image[part.place])
    return measure_switching(part.graph, energy.accelerator, codes)


def activity_of(
    cost: ProgramCost, switching: dict[str, LayerSwitching], energy: EnergyModel
) -> Activity:
    """Energy of a cost on measured data, in all and for each layer that was measured."""
    found = [(group, layer_activity(group, switching, energy)) for group in cost.groups]
    measured = [(group, activity) for group, activity in found if activity is not None]
    layers = tuple(_record(activity, group.energy_uj) for group, activity in measured)
    saved_uj = sum(layer.uniform_energy_uj - layer.image_energy_uj for layer in layers)
    return Activity(
        uniform_energy_uj=cost.energy_uj,
        image_energy_uj=cost.energy_uj - saved_uj,
        measured_macs=sum(group.group.macs for group, _ in measured),
        layers=layers,
    )


_MEANS = (
    "activation_hamming_bits",
    "activation_nonzero_rate",
    "weight_hamming_bits",
    "weight_nonzero_rate",
    "toggle_ratio",
    "active_share",
)


def _together(activities: Sequence[Activity]) -> Activity:
    """Activities of several graphs; rates of a layer are means weighted by its energy in each."""
    if len(activities) == 1:
        return activities[0]
    named: dict[str, list[LayerActivityRecord]] = {}
    for activity in activities:
        for layer in activity.layers:
            named.setdefault(layer.name, []).append(layer)
    return Activity(
        uniform_energy_uj=sum(activity.uniform_energy_uj for activity in activities),
        image_energy_uj=sum(activity.image_energy_uj for activity in activities),
        measured_macs=sum(activity.measured_macs for activity in activities),
        layers=tuple(_mean_layer(layers) for layers in named.values()),
    )


def _mean_layer(layers: Sequence[LayerActivityRecord]) -> LayerActivityRecord:
    whole_uj = sum(layer.uniform_energy_uj for layer in layers)
    means = {
        name: sum(getattr(layer, name) * layer.uniform_energy_uj for layer in layers) / whole_uj
        for name in _MEANS
    }
    image_uj = sum(layer.image_energy_uj for layer in layers)
    return replace(layers[0], **means, uniform_energy_uj=whole_uj, image_energy_uj=image_uj)


def activity_sentence(activity: Activity) -> str:
    """The two energies in words."""
    ratios = [layer.toggle_ratio for layer in activity.layers]
    spread = f", toggles ×{min(ratios):.2f} to ×{max(ratios):.2f}" if ratios else ""
    return (
        f"{activity.image_energy_uj:,.1f} µJ with the switching of this image's operands "
        f"({activity.uniform_energy_uj:,.1f} with uniformly random ones{spread})"
    )


def _record(activity: LayerActivity, uniform_energy_uj: float) -> LayerActivityRecord:
    switching = activity.switching
    saved_uj = activity.uniform_mac_uj - activity.data_mac_uj
    return LayerActivityRecord(
        name=activity.name,
        activation_hamming_bits=switching.activations.hamming,
        activation_nonzero_rate=switching.activations.nonzero_rate,
        weight_hamming_bits=switching.weights.hamming,
        weight_nonzero_rate=switching.weights.nonzero_rate,
        toggle_ratio=activity.ratio,
        active_share=activity.active_share,
        uniform_energy_uj=uniform_energy_uj,
        image_energy_uj=uniform_energy_uj - saved_uj,
    )
