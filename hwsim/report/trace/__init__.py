"""What every unit of a machine does when, as a file that trace viewers open."""

from hwsim.report.trace.cascades import TracedCascade, traced_program, traced_run
from hwsim.report.trace.chrome_trace import TraceSubject, trace_subject, write_trace

__all__ = [
    "TraceSubject",
    "TracedCascade",
    "trace_subject",
    "traced_program",
    "traced_run",
    "write_trace",
]
