"""Bit-accurate simulation and co-design of quantized super-resolution on integer accelerators.

The rooms: `hwsim.arithmetic` (what operators compute), `hwsim.schedule` (graph and accelerator to
program), `hwsim.machine` (runs a program), `hwsim.cost` (cycles, energy, bytes), `hwsim.search`
(bit policies), `hwsim.report` and `hwsim.cli` (people). Importing this package imports none of
them, and never torch.
"""

__version__ = "0.1.0"
