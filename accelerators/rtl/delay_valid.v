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
  reg [BITS-1:0] held[0:CYCLES-1];
  assign later = held[CYCLES-1];

  integer stage;
  always @(posedge clock) begin
    held[0] <= now;
    if (reset) held[0][0] <= 1'b0;
    for (stage = 1; stage < CYCLES; stage = stage + 1) begin
      held[stage] <= held[stage-1];
      if (reset) held[stage][0] <= 1'b0;
    end
  end
endmodule
