"""A Verilog-2005 bench that any simulator runs: jobs from files of words, results to another.

It does what ``harness.cpp`` does: sets inputs while the clock is low, samples ready bits and
outputs once they have settled, raises the clock. Data that are not valid are unknown.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hwsim.verify.rtl.design import Design, Stream, instance, numbered_ports, vector
from hwsim.verify.rtl.outcome import (
    RESET_CYCLES,
    STALL_THRESHOLD,
    TRAILING_CYCLES,
    Job,
    check_job,
    stall_states,
)
from hwsim.verify.rtl.words import Words, word_count, words_of

RESULTS = "results.txt"
"""What the bench writes: a line for each output, and some at the end of each job."""
BENCH = "bench.v"
"""The file of the bench's module."""
MODULE = "hwsim_bench"

_COUNT_BITS = 32


def bench_files(design: Design, jobs: Sequence[Job]) -> dict[str, str]:
    """The bench and the files it reads, by name.

    Args:
        design: what to instantiate; its sources are not among the files.
        jobs: run one after the other, each from reset.
    """
    for job in jobs:
        check_job(design, job)
    memories = _memories(design, jobs)
    files = {f"{name}.hex": _hex(items, bits) for name, (items, bits) in memories.items()}
    return {BENCH: _bench(design, len(jobs), memories), **files}


def _memories(design: Design, jobs: Sequence[Job]) -> dict[str, tuple[Words, int]]:
    """What the bench's memories hold and how wide they are, by name."""

    def counts(values: Sequence[int]) -> tuple[Words, int]:
        return np.array(values, np.uint32).reshape(-1, 1), _COUNT_BITS

    found: dict[str, tuple[Words, int]] = {"limits": counts([job.limit_cycles for job in jobs])}
    for i, setting in enumerate(design.settings):
        values = [words_of(job.settings[setting.name], setting.bits) for job in jobs]
        found[f"setting_{i}_values"] = np.stack(values), setting.bits
    for i, (name, stream) in enumerate(design.input_lanes):
        items = np.concatenate([job.streams[name] for job in jobs])
        if not len(items):  # no memory is empty
            items = np.zeros((1, word_count(stream.bits)), np.uint32)
        found[f"input_{i}_items"] = items, stream.bits
        found[f"input_{i}_counts"] = counts([len(job.streams[name]) for job in jobs])
        found[f"input_{i}_stalls"] = counts([stall_states(design, job)[i] for job in jobs])
    for i, (name, _) in enumerate(design.output_lanes):
        found[f"output_{i}_counts"] = counts([job.wanted[name] for job in jobs])
    return found


def _hex(items: Words, bits: int) -> str:
    """One item a line, of as many digits as its bits need."""
    digits, given = -(-bits // 4), 8 * items.shape[1]
    text = items[:, ::-1].astype(">u4").tobytes().hex()
    lines = [text[at + given - digits : at + given] for at in range(0, len(text), given)]
    return "\n".join(lines) + "\n"


def _bench(design: Design, jobs: int, memories: Mapping[str, tuple[Words, int]]) -> str:
    wires, names = numbered_ports(design)
    inputs, outputs = design.input_lanes, design.output_lanes
    comments = "".join(f"// {number}: {name}\n" for number, name in names.items())
    depths = [(name, len(items), bits) for name, (items, bits) in memories.items()]
    parts = [
        f"// Runs {jobs} jobs through '{design.top}' and writes {RESULTS}.\n{comments}",
        f"`timescale 1ns/1ns\nmodule {MODULE};\n",
        "  reg clock, reset;\n  integer results, job, cycle, origin, missing, last;\n",
        *(f"  reg {vector(s.bits)} setting_{i};\n" for i, s in enumerate(design.settings)),
        *(_input_text(design, i, *named) for i, named in enumerate(inputs)),
        *(_output_text(i, *named) for i, named in enumerate(outputs)),
        *(f"  reg {vector(bits)} {name} [0:{depth - 1}];\n" for name, depth, bits in depths),
        "\n",
        instance(design, "simulated", wires),
        _initial(design, jobs, list(memories)),
        "endmodule\n",
    ]
    return "".join(parts)


def _input_text(design: Design, i: int, name: str, stream: Stream) -> str:
    ready = f"input_{i}_ready"
    declared = f"wire {ready}" if stream.has_ready else f"wire {ready} = 1'b1"
    counts = name if design.counts_from is None else design.counts_from
    origin = " if (origin < 0) origin = cycle;" if counts == name else ""
    return f"""
  reg {vector(stream.bits)} input_{i};
  reg input_{i}_valid;
  {declared};
  integer input_{i}_first, input_{i}_taken;
  reg [31:0] input_{i}_random;
  task offer_{i};
    reg withheld;
    if (!input_{i}_valid && input_{i}_taken < input_{i}_counts[job]) begin
      withheld = 1'b0;
      if (input_{i}_random != 0) begin
        input_{i}_random = input_{i}_random ^ (input_{i}_random << 13);
        input_{i}_random = input_{i}_random ^ (input_{i}_random >> 17);
        input_{i}_random = input_{i}_random ^ (input_{i}_random << 5);
        withheld = input_{i}_random[7:0] < {STALL_THRESHOLD};
      end
      if (!withheld) begin
        input_{i}_valid = 1'b1;
        input_{i} = input_{i}_items[input_{i}_first + input_{i}_taken];
      end
    end
  endtask
  reg input_{i}_takes;
  task take_{i};
    begin
      input_{i}_takes = input_{i}_valid && {ready} === 1'b1;
      if ({ready} !== 1'b0 && {ready} !== 1'b1)
        $fdisplay(results, "%0d unknown {name}_ready %0d", job, cycle);
      if (input_{i}_takes) begin
        input_{i}_taken = input_{i}_taken + 1;{origin}
      end
    end
  endtask
  task release_{i};
    if (input_{i}_takes) begin
      input_{i}_valid = 1'b0;
      input_{i} = {{{stream.bits}{{1'bx}}}};
    end
  endtask
"""


def _output_text(i: int, name: str, stream: Stream) -> str:
    valid = f"output_{i}_valid"
    return f"""
  wire {vector(stream.bits)} output_{i};
  wire {valid};
  integer output_{i}_seen;
  task see_{i};
    if ({valid} === 1'b1) begin
      if (output_{i}_seen < output_{i}_counts[job] + {TRAILING_CYCLES})
        $fdisplay(results, "%0d output {name} %0d %h", job, cycle, output_{i});
      if (output_{i}_seen < output_{i}_counts[job]) missing = missing - 1;
      output_{i}_seen = output_{i}_seen + 1;
      if (missing == 0 && output_{i}_seen <= output_{i}_counts[job]
          && cycle + {1 + TRAILING_CYCLES} < last) last = cycle + {1 + TRAILING_CYCLES};
    end else if ({valid} !== 1'b0)
      $fdisplay(results, "%0d unknown {name}_valid %0d", job, cycle);
  endtask
"""


def _initial(design: Design, jobs: int, memories: list[str]) -> str:
    inputs, outputs = range(len(design.input_names)), range(len(design.output_names))
    begin = [f"setting_{i} = setting_{i}_values[job];" for i in range(len(design.settings))]
    for i in inputs:
        begin += [f"input_{i}_valid = 1'b0;", f"input_{i} = 'bx;", f"input_{i}_taken = 0;"]
        begin += [f"input_{i}_random = input_{i}_stalls[job];"]
    for i in outputs:
        begin += [f"output_{i}_seen = 0;", f"missing = missing + output_{i}_counts[job];"]
    end = [f"input_{i}_first = input_{i}_first + input_{i}_counts[job];" for i in inputs]
    for i, name in enumerate(design.input_names):
        end.append(f'$fdisplay(results, "%0d taken {name} %0d", job, input_{i}_taken);')
    return f"""
  initial begin
{_lines(4, [f'$readmemh("{name}.hex", {name});' for name in memories])}
{_lines(4, [f"input_{i}_first = 0;" for i in inputs])}
    results = $fopen("{RESULTS}", "w");
    clock = 1'b0;
    for (job = 0; job < {jobs}; job = job + 1) begin
      missing = 0;
      origin = -1;
{_lines(6, begin)}
      reset = 1'b1;
      repeat ({RESET_CYCLES}) begin
        #1 clock = 1'b1;
        #1 clock = 1'b0;
      end
      reset = 1'b0;
      last = limits[job];
      if (missing == 0 && {TRAILING_CYCLES} < last) last = {TRAILING_CYCLES};
      for (cycle = 0; cycle < last; cycle = cycle + 1) begin
{_lines(8, [f"offer_{i};" for i in inputs])}
        #1;
{_lines(8, [f"take_{i};" for i in inputs])}
{_lines(8, [f"see_{i};" for i in outputs])}
        clock = 1'b1;
        #1 clock = 1'b0;
{_lines(8, [f"release_{i};" for i in inputs])}
      end
{_lines(6, end)}
      $fdisplay(results, "%0d end %0d %0d", job, cycle, origin);
    end
    $fclose(results);
    $finish;
  end
"""


def _lines(indent: int, statements: list[str]) -> str:
    return "\n".join(" " * indent + statement for statement in statements)
