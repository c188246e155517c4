"""Register-transfer models of the datapaths: Verilog beside this file, and what describes it."""
