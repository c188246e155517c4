"""Verilog designs run with the simulator's own integers, cycle by cycle."""
