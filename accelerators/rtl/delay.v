// A value, a fixed number of cycles later; of 0 cycles, the value itself.
module delay #(
    parameter CYCLES = 1,
    parameter BITS = 8
) (
    input clock,
    input [BITS-1:0] now,
    output [BITS-1:0] later
);
  generate
    if (CYCLES == 0) begin : none
      assign later = now;
    end else if (CYCLES == 1) begin : one
      reg [BITS-1:0] held;
      always @(posedge clock) held <= now;
      assign later = held;
    end else begin : several
      reg [CYCLES*BITS-1:0] held;
      always @(posedge clock) held <= {held[(CYCLES-1)*BITS-1:0], now};
      assign later = held[CYCLES*BITS-1-:BITS];
    end
  endgenerate
endmodule
