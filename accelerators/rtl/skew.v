// Delays element n of a vector by n cycles: the edge of a systolic array.
module skew #(
    parameter COUNT = 8,
    parameter BITS = 8
) (
    input clock,
    input [COUNT*BITS-1:0] straight,
    output [COUNT*BITS-1:0] skewed
);
  genvar element;
  generate
    for (element = 0; element < COUNT; element = element + 1) begin : elements
      delay #(
          .CYCLES(element),
          .BITS(BITS)
      ) delay (
          .clock(clock),
          .now(straight[element*BITS+:BITS]),
          .later(skewed[element*BITS+:BITS])
      );
    end
  endgenerate
endmodule
