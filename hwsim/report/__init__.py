"""Results for people and programs: the record, the summary, the table, the chart, the pictures."""

from hwsim.report.result import BitExact, Layer, Output, Result, result_from_cost

__all__ = ["BitExact", "Layer", "Output", "Result", "result_from_cost"]
