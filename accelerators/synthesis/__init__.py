"""Units of hardware synthesized to gates, and what their gates cost on given operands.

A netlist comes from yosys and a Liberty file; it is simulated 64 operand streams at a time, its
toggles are counted, and every toggle is priced by the library (docs/synthesis.md).
"""
