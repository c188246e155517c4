// A restoring divider, one bit of the quotient a cycle, highest first.
//
// Timing: the cycle of `start` makes the first bit; the quotient's bit n, counted from the top, and
// the remainder behind it are in `quotient` and `remainder` n + 1 cycles after it.
// docs/operators/normalization.md, docs/rtl/units.md
module serial_divider #(
    parameter DIVIDEND_BITS = 40,
    parameter DIVISOR_BITS = 24
) (
    input clock,
    input start,
    input [DIVIDEND_BITS-1:0] dividend,  // taken with `start`
    input [DIVISOR_BITS-1:0] divisor,    // taken with `start`; not 0
    output reg [DIVIDEND_BITS-1:0] quotient,
    output reg [DIVISOR_BITS-1:0] remainder,
    output reg [DIVISOR_BITS-1:0] held_divisor
);
  reg [DIVIDEND_BITS-2:0] left;  // bits of the dividend not yet brought down

  wire [DIVIDEND_BITS-1:0] bits = start ? dividend : {left, 1'b0};
  wire [DIVISOR_BITS-1:0] by = start ? divisor : held_divisor;
  wire [DIVISOR_BITS:0] brought = {start ? {DIVISOR_BITS{1'b0}} : remainder, bits[DIVIDEND_BITS-1]};
  wire fits = brought >= {1'b0, by};
  wire [DIVISOR_BITS:0] after = fits ? brought - {1'b0, by} : brought;
  wire unused = &{1'b0, after[DIVISOR_BITS], quotient[DIVIDEND_BITS-1]};

  always @(posedge clock) begin
    left <= bits[DIVIDEND_BITS-2:0];
    held_divisor <= by;
    remainder <= after[DIVISOR_BITS-1:0];
    quotient <= {start ? {(DIVIDEND_BITS - 1) {1'b0}} : quotient[DIVIDEND_BITS-2:0], fits};
  end
endmodule
