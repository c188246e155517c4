"""A small design for tests of the bench: sums of two vectors' elements, with back-pressure."""

from pathlib import Path

from hwsim.verify.rtl.design import Design, Setting, Stream

ADDER = """\
// Adds two vectors and an offset: two registers deep; takes an item from both streams at once, and
// in every PERIOD-th cycle at most.
module adder #(
  parameter BITS = 5,
  parameter LANES = 3,
  parameter PERIOD = 1,
  parameter OPERATION = "add"
) (
  input clock, input reset,
  input signed [BITS-1:0] offset,
  input a_valid, output a_ready, input [LANES*BITS-1:0] a,
  input b_valid, output b_ready, input [LANES*BITS-1:0] b,
  output reg sum_valid, output reg [LANES*(BITS+2)-1:0] sum
);
  reg [7:0] wait_cycles;
  reg added_valid;
  reg [LANES*(BITS+2)-1:0] added;
  wire takes = a_valid && b_valid && wait_cycles == 0;
  assign a_ready = takes;
  assign b_ready = takes;
  genvar k;
  generate
    for (k = 0; k < LANES; k = k + 1) begin : lane
      wire signed [BITS-1:0] one = a[k*BITS +: BITS];
      wire signed [BITS-1:0] other = b[k*BITS +: BITS];
      wire signed [BITS+1:0] wide = one;
      wire signed [BITS+1:0] result = OPERATION == "add" ? wide + other : wide - other;
      wire signed [BITS+1:0] kept = added[k*(BITS+2) +: BITS+2];
      always @(posedge clock) begin
        added[k*(BITS+2) +: BITS+2] <= result;
        sum[k*(BITS+2) +: BITS+2] <= kept + offset;
      end
    end
  endgenerate
  always @(posedge clock) begin
    added_valid <= takes && !reset;
    sum_valid <= added_valid && !reset;
    if (reset) wait_cycles <= 0;
    else if (takes) wait_cycles <= PERIOD - 1;
    else if (wait_cycles != 0) wait_cycles <= wait_cycles - 1;
  end
endmodule
"""


def adder(
    folder: Path, bits: int = 5, lanes: int = 3, *, text: str = ADDER, **parameters: int | str
) -> Design:
    """The adder as a design, its source written to a folder."""
    source = folder / "adder.v"
    source.write_text(text)
    return Design(
        "adder",
        (source,),
        inputs=(Stream("a", lanes * bits), Stream("b", lanes * bits)),
        outputs=(Stream("sum", lanes * (bits + 2)),),
        settings=(Setting("offset", bits),),
        parameters={"BITS": bits, "LANES": lanes, **parameters},
    )
