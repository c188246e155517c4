"""Energy with the image's own switching beside that of uniformly random data."""

from dataclasses import dataclass

from accelerators import EnergyModel
from hwsim.activity import LayerActivity, LayerSwitching, layer_activity, measure_switching, merged
from hwsim.cost import ProgramCost
from hwsim.image_run import Codes, ImageRun


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
    measured_mac_share: float
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
    switching = merged(
        [
            measure_switching(part.graph, energy.accelerator, image[part.place].copy())
            for part in run.parts
        ]
    )
    return activity_of(run.cost, switching, energy)


def activity_of(
    cost: ProgramCost, switching: dict[str, LayerSwitching], energy: EnergyModel
) -> Activity:
    """Energy of a cost on measured data, in all and for each layer that was measured."""
    found = [(group, layer_activity(group, switching, energy)) for group in cost.groups]
    measured = [(group, activity) for group, activity in found if activity is not None]
    layers = tuple(_record(activity, group.energy_uj) for group, activity in measured)
    macs = sum(group.group.macs for group, _ in measured)
    saved_uj = sum(layer.uniform_energy_uj - layer.image_energy_uj for layer in layers)
    return Activity(
        uniform_energy_uj=cost.energy_uj,
        image_energy_uj=cost.energy_uj - saved_uj,
        measured_mac_share=macs / cost.macs if cost.macs else 0.0,
        layers=layers,
    )


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
