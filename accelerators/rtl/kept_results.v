// Results of a pass that wait for the next one, oldest first. One that is taken in the cycle in
// which it comes never waits.
//
// Timing: `oldest` and `oldest_valid` belong to the cycle in which `take` is set.
module kept_results #(
    parameter DEPTH = 8,  // a power of two
    parameter BITS = 33
) (
    input clock,
    input reset,
    input kept_valid,
    input [BITS-1:0] kept,
    input take,
    output oldest_valid,
    output [BITS-1:0] oldest
);
  localparam PLACE_BITS = $clog2(DEPTH);

  reg [BITS-1:0] waiting[0:DEPTH-1];
  reg [PLACE_BITS:0] written, read;
  wire empty = written == read;

  assign oldest_valid = kept_valid | ~empty;
  assign oldest = empty ? kept : waiting[read[PLACE_BITS-1:0]];

  always @(posedge clock) begin
    if (reset) begin
      written <= 0;
      read <= 0;
    end else begin
      if (kept_valid) written <= written + 1'b1;
      if (take) read <= read + 1'b1;
    end
    if (kept_valid) waiting[written[PLACE_BITS-1:0]] <= kept;
  end
endmodule
