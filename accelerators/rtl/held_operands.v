// Operands on their stream in the cycle in which they are taken, and held from then on.
module held_operands #(
    parameter BITS = 128
) (
    input clock,
    input take,
    input [BITS-1:0] stream,
    output [BITS-1:0] now
);
  reg [BITS-1:0] held;
  assign now = take ? stream : held;

  always @(posedge clock) if (take) held <= stream;
endmodule
