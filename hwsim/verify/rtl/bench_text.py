"""The Verilog-2005 of a bench: what ``harness.cpp`` does, for any simulator.

It sets inputs while the clock is low, samples ready bits and outputs once they have settled, raises
the clock. Data that are not valid are unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.verify.rtl.design import Design, Stream, instance, numbered_ports, vector
from hwsim.verify.rtl.outcome import RESET_CYCLES, STALL_THRESHOLD, TRAILING_CYCLES

MODULE = "hwsim_bench"
"""Its name."""
RESULTS = "results.txt"
"""What it writes: a line for each output, and some at the end of each job."""
STAMPED = "vectors"
"""The first word of its results; a stamp of all that it read is the second."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory of the bench, filled from a file of its name.

    Attributes:
        name: of it.
        depth: words.
        bits: of a word.
    """

    name: str
    depth: int
    bits: int


def bench_text(design: Design, jobs: int, memories: Sequence[Memory], stamp: str) -> str:
    """The bench's module.

    Args:
        design: what it instantiates.
        jobs: how many it runs.
        memories: what it reads.
        stamp: the first line of its results.
    """
    wires, names = numbered_ports(design)
    inputs, outputs = design.input_lanes, design.output_lanes
    comments = "".join(f"// {number}: {name}\n" for number, name in names.items())
    knows_expected = any(memory.name == "output_0_expected" for memory in memories)
    parts = [
        f"// Runs {jobs} jobs through '{design.top}' and writes {RESULTS}.\n{comments}",
        f"`timescale 1ns/1ns\nmodule {MODULE};\n",
        "  reg clock, reset;\n  integer results, job, cycle, origin, missing, last, wrong;\n",
        *(f"  reg {vector(s.bits)} setting_{i};\n" for i, s in enumerate(design.settings)),
        *(_input_text(design, i, *named) for i, named in enumerate(inputs)),
        *(_output_text(i, *named, knows_expected) for i, named in enumerate(outputs)),
        *(f"  reg {vector(m.bits)} {m.name} [0:{m.depth - 1}];\n" for m in memories),
        "\n",
        instance(design, "simulated", wires),
        _initial(design, jobs, [memory.name for memory in memories], stamp),
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


def _output_text(i: int, name: str, stream: Stream, knows_expected: bool) -> str:
    valid, place = f"output_{i}_valid", f"[output_{i}_first + output_{i}_seen]"
    differs = f"((output_{i} ^ output_{i}_expected{place}) & output_{i}_compared{place}) !== 0"
    compared = f"\n        if ({differs}) wrong = wrong + 1;" if knows_expected else ""
    return f"""
  wire {vector(stream.bits)} output_{i};
  wire {valid};
  integer output_{i}_first, output_{i}_seen;
  task see_{i};
    if ({valid} === 1'b1) begin
      if (output_{i}_seen < output_{i}_counts[job] + {TRAILING_CYCLES})
        $fdisplay(results, "%0d output {name} %0d %h", job, cycle, output_{i});
      if (output_{i}_seen < output_{i}_counts[job]) begin{compared}
        missing = missing - 1;
        if (missing == 0 && cycle + {1 + TRAILING_CYCLES} < last)
          last = cycle + {1 + TRAILING_CYCLES};
      end else wrong = wrong + 1;
      output_{i}_seen = output_{i}_seen + 1;
    end else if ({valid} !== 1'b0)
      $fdisplay(results, "%0d unknown {name}_valid %0d", job, cycle);
  endtask
"""


def _initial(design: Design, jobs: int, memories: list[str], stamp: str) -> str:
    inputs, outputs = range(len(design.input_names)), range(len(design.output_names))
    begin = [f"setting_{i} = setting_{i}_values[job];" for i in range(len(design.settings))]
    for i in inputs:
        begin += [f"input_{i}_valid = 1'b0;", f"input_{i} = 'bx;", f"input_{i}_taken = 0;"]
        begin += [f"input_{i}_random = input_{i}_stalls[job];"]
    for i in outputs:
        begin += [f"output_{i}_seen = 0;", f"missing = missing + output_{i}_counts[job];"]
    lanes = [f"input_{i}" for i in inputs] + [f"output_{i}" for i in outputs]
    end = [f"{lane}_first = {lane}_first + {lane}_counts[job];" for lane in lanes]
    for i, name in enumerate(design.input_names):
        end.append(f'$fdisplay(results, "%0d taken {name} %0d", job, input_{i}_taken);')
    return f"""
  initial begin
{_lines(4, [f'$readmemh("{name}.hex", {name});' for name in memories])}
{_lines(4, [f"{lane}_first = 0;" for lane in lanes])}
    if ($test$plusargs("dump")) begin
      $dumpfile("bench.vcd");
      $dumpvars(0, {MODULE});
    end
    results = $fopen("{RESULTS}", "w");
    $fdisplay(results, "{STAMPED} {stamp}");
    wrong = 0;
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
      wrong = wrong + missing;
    end
    $fclose(results);
    $display("{design.top}: %0d outputs wrong, missing or superfluous", wrong);
    $finish;
  end
"""


def _lines(indent: int, statements: list[str]) -> str:
    return "\n".join(" " * indent + statement for statement in statements)
