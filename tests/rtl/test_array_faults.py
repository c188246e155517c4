"""Faults planted in the Verilog of arrays, one at a time, are found by a few random products."""



