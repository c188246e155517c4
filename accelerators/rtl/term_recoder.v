// One term of a two's complement weight in its form with the fewest nonzero digits +1, 0, -1: that
// of a given index, terms of low exponents first. Behind the last term all bits are 0.
//
// A digit is not 0 where 3 * weight and weight differ one place to the left, and negative where
// that place of weight is 1.
//
// Combinational. docs/datapaths/shift_add.md
module term_recoder #(
    parameter WEIGHT_BITS = 8,
    parameter INDEX_BITS = $clog2((WEIGHT_BITS + 1) / 2 + 1),
    parameter EXPONENT_BITS = $clog2(WEIGHT_BITS)
) (
    input signed [WEIGHT_BITS-1:0] weight,
    input [INDEX_BITS-1:0] index,
    output [EXPONENT_BITS+1:0] term  // {present, negative, exponent}
);
  wire signed [WEIGHT_BITS+1:0] wide = {{2{weight[WEIGHT_BITS-1]}}, weight};
  wire signed [WEIGHT_BITS+1:0] triple = wide + (wide <<< 1);
  wire [WEIGHT_BITS+1:0] differ = triple ^ wide;
  wire [WEIGHT_BITS-1:0] digits = differ[WEIGHT_BITS:1];
  wire [WEIGHT_BITS-1:0] negatives = wide[WEIGHT_BITS:1];
  wire unused = &{1'b0, differ[WEIGHT_BITS+1], differ[0]};

  reg present, negative;
  reg [EXPONENT_BITS-1:0] exponent;
  reg [INDEX_BITS-1:0] seen;
  integer place;
  always @* begin
    present = 1'b0;
    negative = 1'b0;
    exponent = 0;
    seen = 0;
    for (place = 0; place < WEIGHT_BITS; place = place + 1) begin
      if (digits[place]) begin
        if (seen == index && !present) begin
          present = 1'b1;
          negative = negatives[place];
          exponent = place[EXPONENT_BITS-1:0];
        end
        seen = seen + 1'b1;
      end
    end
  end
  assign term = {present, negative, exponent};
endmodule
