"""What the benchmarks share: calls that take turns, and what they run on."""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

Call = Callable[[], object]


def measured(calls: dict[str, Call], rounds: int) -> dict[str, tuple[float, float]]:
    """Median wall and processor seconds of each call; a first round only compiles and warms up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for recorded in [False] + [True] * rounds:
        for name, call in calls.items():
            wall, used = time.perf_counter(), time.process_time()
            call()
            if recorded:
                times[name].append((time.perf_counter() - wall, time.process_time() - used))
    return {
        name: (statistics.median(w for w, _ in pairs), statistics.median(p for _, p in pairs))
        for name, pairs in times.items()
    }


def load() -> str:
    """The machine's one-minute load average, by which to judge the figures."""
    return f"{os.getloadavg()[0]:.1f}"


def processor() -> str:
    """The processor's name and which matrix instructions it has, as Linux tells them."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    flags = next(line.split() for line in lines if line.startswith("flags"))
    known = [flag for flag in ("avx2", "avx512_vnni", "avx_vnni", "amx_int8") if flag in flags]
    return f"{name} ({', '.join(known)})"
