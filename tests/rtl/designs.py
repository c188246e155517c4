"""Small designs for tests of the bench."""

from dataclasses import replace
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

ECHO = """\
// Two lanes that give back what they take a cycle later, in any cycle; lane 1 gives it twice if
// TWICE. Names of ports may be words of C++, or names that a bench has itself.
module echo #(parameter TWICE = 0) (
  input clk, input resetn,
  input [1:0] template_valid, input [139:0] template,
  output reg [1:0] cycle_valid, output reg [139:0] cycle
);
  reg again;
  always @(posedge clk) begin
    cycle_valid <= template_valid | {again, 1'b0};
    cycle[69:0] <= template[69:0];
    if (template_valid[1]) cycle[139:70] <= template[139:70];
    again <= TWICE != 0 && template_valid[1];
    if (!resetn) begin
      cycle_valid <= 0;
      again <= 0;
    end
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


def echo(folder: Path, *, twice: bool = False) -> Design:
    """The echo as a design."""
    source = folder / "echo.v"
    source.write_text(ECHO)
    design = Design(
        "echo",
        (source,),
        inputs=(Stream("template", 70, has_ready=False, lanes=2),),
        outputs=(Stream("cycle", 70, lanes=2),),
        clock="clk",
        reset="resetn",
        reset_is_low=True,
    )
    return replace(design, parameters={"TWICE": 1}) if twice else design


SMALL_ARRAY = """\
// Somebody's array: ROWS pixels by COLUMNS channels, a product of each a cycle, all codes at once.
module small_array #(parameter ROWS = 2, parameter COLUMNS = 3) (
  input clk, input rst_n,
  input [15:0] length,
  input [COLUMNS*40-1:0] bias, input [COLUMNS*32-1:0] multiplier, input [COLUMNS*6-1:0] shift,
  input signed [16:0] zero_point, input signed [16:0] low, input signed [16:0] high,
  input a_valid, output a_ready, input [ROWS*8-1:0] a,
  input w_valid, input [COLUMNS*5-1:0] w,
  output reg y_valid, output reg [ROWS*COLUMNS*16-1:0] y
);
  assign a_ready = w_valid;
  wire takes = a_valid && w_valid;
  reg [15:0] count;
  reg last;
  genvar r, c;
  generate
    for (r = 0; r < ROWS; r = r + 1) begin : row
      for (c = 0; c < COLUMNS; c = c + 1) begin : column
        wire signed [8:0] activation = {1'b0, a[r*8 +: 8]};
        wire signed [4:0] weight = w[c*5 +: 5];
        wire signed [39:0] first = bias[c*40 +: 40];
        wire signed [31:0] factor = multiplier[c*32 +: 32];
        wire [5:0] places = shift[c*6 +: 6];
        reg signed [39:0] sum;
        wire signed [79:0] half = places == 0 ? 80'sd0 : 80'sd1 <<< (places - 6'd1);
        wire signed [79:0] scaled = (sum * factor + half) >>> places;
        wire signed [79:0] moved = scaled + zero_point;
        wire signed [79:0] code = moved < low ? low : moved > high ? high : moved;
        always @(posedge clk) begin
          if (takes) sum <= (count == 0 ? first : sum) + activation * weight;
          y[(r*COLUMNS + c)*16 +: 16] <= code[15:0];
        end
      end
    end
  endgenerate
  always @(posedge clk) begin
    last <= rst_n && takes && count == length - 16'd1;
    y_valid <= rst_n && last;
    if (!rst_n || takes && count == length - 16'd1) count <= 0;
    else if (takes) count <= count + 16'd1;
  end
endmodule
"""

SMALL_ARRAY_PORTS = """\
clock: clk
reset: rst_n
reset_level: low
tile: {pixels: 2, channels: 3}
settings:
  - {name: length, bits: 16, of: reduction}
  - {name: bias, bits: 40, of: bias, elements: 3}
  - {name: multiplier, bits: 32, of: multiplier, elements: 3}
  - {name: shift, bits: 6, of: shift, elements: 3}
  - {name: zero_point, bits: 17, of: zero_point}
  - {name: low, bits: 17, of: low}
  - {name: high, bits: 17, of: high}
inputs:
  - {name: a, fields: [{of: activations, bits: 8}], order: [pixels/2, reduction], item: [pixels]}
  - name: w
    fields: [{of: weights, bits: 5}]
    order: [channels/3, reduction]
    item: [channels]
    ready: false
outputs:
  - {name: y, bits: 16, order: [pixels/2, channels/3], item: [pixels, channels]}
"""
