// A word with its valid bit lowest, a fixed number of cycles later; reset leaves none valid.
module delay_valid #(
    parameter CYCLES = 1,  // at least 1
    parameter BITS = 8
) (
    input clock,
    input reset,
    input [BITS-1:0] now,
    output [BITS-1:0] later
);
  reg [CYCLES*BITS-1:0] held;
  wire [(CYCLES+1)*BITS-1:0] moved = {held, now};
  assign later = held[CYCLES*BITS-1-:BITS];

  integer stage;
  always @(posedge clock) begin
    held <= moved[CYCLES*BITS-1:0];
    if (reset) for (stage = 0; stage < CYCLES; stage = stage + 1) held[stage*BITS] <= 1'b0;
  end
endmodule
