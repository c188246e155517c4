"""Points as a campaign would measure them, if energies and areas went by simple rules."""

from accelerators.synthesis.measurement import Hardware, OperationEnergy
from hwsim.calibration.campaign import Measured
from hwsim.calibration.points import RANDOM, RECORDED

FLOP_PJ = 0.2
WIDTHS = (2, 4, 8)


def point(
    datapath: str,
    widths: tuple[int, int],
    energy_pj: float,
    area_ge: float,
    flip_flops: int,
    operands: str = RANDOM,
) -> Measured:
    name = f"{datapath}_w{widths[0]}_a{widths[1]}"
    clock_pj = FLOP_PJ * flip_flops
    return Measured(
        datapath,
        *widths,
        operands,
        name,
        Hardware(2 * area_ge, area_ge, 10, flip_flops, 1.0, clock_pj),
        OperationEnergy(energy_pj / 2, energy_pj, energy_pj, clock_pj),
    )


def output_stationary(weight_bits: int, activation_bits: int, operands: str) -> Measured:
    """10 + w + a + 0.5 w a pJ, half of it on recorded operands; 100 + 20 (w + a) + 9 w a GE."""
    both, pairs = weight_bits + activation_bits, weight_bits * activation_bits
    energy_pj = (10 + both + pairs / 2) * (1 if operands == RANDOM else 0.5)
    area_ge = 100 + 20 * both + 9 * pairs
    flip_flops = 3 * both + 28
    return point(
        "output_stationary",
        (weight_bits, activation_bits),
        energy_pj,
        area_ge,
        flip_flops,
        operands,
    )


def bit_serial(weight_bits: int, activation_bits: int) -> Measured:
    return point(
        "bit_serial", (weight_bits, activation_bits), 6.0 * weight_bits * activation_bits, 1600, 100
    )


def everything() -> list[Measured]:
    pairs = [(w, a) for w in WIDTHS for a in WIDTHS]
    found = [output_stationary(w, a, operands) for w, a in pairs for operands in (RANDOM, RECORDED)]
    found += [bit_serial(w, a) for w, a in pairs]
    found += [
        point("requantizer", (28, 8), 200, 4000, 200),
        point("requantizer", (32, 32), 900, 14000, 250),
    ]
    found += [point("multiplier", (bits, bits), bits, bits**2, 0) for bits in (2, 4, 8)]
    found += [point("adder", (bits, bits), bits, 6 * bits, 0) for bits in (16, 32)]
    found.append(point("wider_accumulator", (8, 8), 80, 100 + 320 + 576 + 16 * 25, 108))
    return found
