"""Energy and area of processing elements from synthesis and gate-level simulation.

Units are synthesized and tried on random operands and on those of a network; what is measured is
kept, and becomes a file of relative energies (docs/synthesis.md).
"""
